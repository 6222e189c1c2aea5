import asyncio
import websockets
import json
from datetime import datetime

async def test_operation_progress():
    # First, get auth token
    import httpx
    async with httpx.AsyncClient() as client:
        auth_response = await client.post(
            "http://localhost:8080/api/v2/auth/login",
            json={"username": "test@example.com", "password": "password"}
        )
        token = auth_response.json()["access_token"]
        
        # Create a new operation (e.g., index a collection)
        collection_response = await client.post(
            "http://localhost:8080/api/v2/collections",
            headers={"Authorization": f"Bearer {token}"},
            json={
                "name": "Test Collection",
                "description": "WebSocket test",
                "source_path": "/test/documents"
            }
        )
        operation_id = collection_response.json()["operation_id"]
    
    # Connect to WebSocket
    uri = f"ws://localhost:8080/ws/operations/{operation_id}?token={token}"
    
    messages_received = []
    
    async with websockets.connect(uri) as websocket:
        # Collect messages for 30 seconds or until completion
        start_time = datetime.now()
        
        while (datetime.now() - start_time).seconds < 30:
            try:
                message = await asyncio.wait_for(websocket.recv(), timeout=1.0)
                data = json.loads(message)
                messages_received.append(data)
                
                print(f"[{data['timestamp']}] {data['type']}: {data.get('data', {})}")
                
                # Check for completion
                if data["type"] == "status_update" and data["data"]["status"] in ["completed", "failed"]:
                    break
                    
            except asyncio.TimeoutError:
                # Send ping to keep connection alive
                await websocket.send(json.dumps({"type": "ping"}))
        
    # Verify message sequence
    message_types = [msg["type"] for msg in messages_received]
    assert "current_state" in message_types, "Should receive current state on connect"
    assert "operation_started" in message_types or "scanning_documents" in message_types
    
    print(f"\nReceived {len(messages_received)} messages")
    print(f"Message types: {message_types}")

# Run test
asyncio.run(test_operation_progress())
