# Install wscat
npm install -g wscat

# Get auth token first
TOKEN=$(curl -s -X POST http://localhost:8080/api/v2/auth/login \
  -H "Content-Type: application/json" \
  -d '{"username":"test@example.com","password":"password"}' | jq -r .access_token)

# Connect to operation WebSocket
wscat -c "ws://localhost:8080/ws/operations/YOUR_OPERATION_ID?token=$TOKEN"
