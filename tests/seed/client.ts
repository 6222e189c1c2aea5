class OperationProgressClient {
    private ws: WebSocket | null = null;
    private reconnectAttempts = 0;
    private maxReconnectAttempts = 5;
    private reconnectDelay = 3000;
    private token: string;

    constructor(token: string) {
        this.token = token;
    }

    connect(operationId: string) {
        const wsUrl = `ws://localhost:8080/ws/operations/${operationId}?token=${this.token}`;
        
        try {
            this.ws = new WebSocket(wsUrl);
            this.setupEventHandlers();
        } catch (error) {
            console.error('Failed to create WebSocket:', error);
        }
    }

    private setupEventHandlers() {
        if (!this.ws) return;

        this.ws.onopen = () => {
            console.log('WebSocket connected');
            this.reconnectAttempts = 0;
        };

        this.ws.onmessage = (event) => {
            const data = JSON.parse(event.data);
            this.handleMessage(data);
        };

        this.ws.onerror = (error) => {
            console.error('WebSocket error:', error);
        };

        this.ws.onclose = (event) => {
            console.log('WebSocket closed:', event.code, event.reason);
            
            // Reconnect on abnormal closure
            if (event.code !== 1000 && this.reconnectAttempts < this.maxReconnectAttempts) {
                this.reconnect();
            }
        };
    }

    private handleMessage(data: any) {
        switch (data.type) {
            case 'operation_started':
                console.log(`Operation started: ${data.total_files} files to process`);
                break;
            
            case 'file_processing':
                console.log(`Processing: ${data.current_file} (${data.processed_files}/${data.total_files})`);
                break;
            
            case 'file_completed':
                console.log(`Progress: ${data.processed_files}/${data.total_files}`);
                break;
            
            case 'operation_completed':
                console.log('Operation completed!');
                this.disconnect();
                break;
            
            case 'error':
                console.error('Operation error:', data.message);
                break;
        }
    }

    private reconnect() {
        this.reconnectAttempts++;
        console.log(`Reconnecting... (attempt ${this.reconnectAttempts})`);
        
        setTimeout(() => {
            this.connect(operationId);
        }, this.reconnectDelay);
    }

    disconnect() {
        if (this.ws && this.ws.readyState === WebSocket.OPEN) {
            this.ws.close(1000, 'Client disconnect');
        }
    }
}
