const token = localStorage.getItem('authToken');
const ws = new WebSocket(`ws://localhost:8080/ws/operations/abc123-operation-id?token=${token}`);

ws.onopen = () => {
    console.log('Connected to operation progress');
};

ws.onmessage = (event) => {
    const data = JSON.parse(event.data);
    console.log('Progress update:', data);
};
