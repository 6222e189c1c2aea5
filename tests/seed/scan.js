const scanId = crypto.randomUUID();
const ws = new WebSocket(`ws://localhost:8080/ws/scan/${scanId}`);

ws.onopen = () => {
    // Start scan
    ws.send(JSON.stringify({
        action: 'scan',
        path: '/documents',
        recursive: true
    }));
};
