import { useEffect, useRef, useState } from 'react';

interface OperationProgress {
    currentFile?: string;
    processedFiles: number;
    totalFiles: number;
    status: 'connecting' | 'processing' | 'completed' | 'error';
    error?: string;
}

export function useOperationProgress(operationId: string, token: string): OperationProgress {
    const [progress, setProgress] = useState<OperationProgress>({
        processedFiles: 0,
        totalFiles: 0,
        status: 'connecting'
    });
    
    const wsRef = useRef<WebSocket | null>(null);
    
    useEffect(() => {
        if (!operationId || !token) return;
        
        const ws = new WebSocket(`ws://localhost:8080/ws/operations/${operationId}?token=${token}`);
        wsRef.current = ws;
        
        ws.onmessage = (event) => {
            const data = JSON.parse(event.data);
            
            switch (data.type) {
                case 'operation_started':
                    setProgress(prev => ({
                        ...prev,
                        totalFiles: data.total_files,
                        status: 'processing'
                    }));
                    break;
                
                case 'file_processing':
                    setProgress({
                        currentFile: data.current_file,
                        processedFiles: data.processed_files,
                        totalFiles: data.total_files,
                        status: 'processing'
                    });
                    break;
                
                case 'operation_completed':
                    setProgress(prev => ({
                        ...prev,
                        status: 'completed'
                    }));
                    break;
                
                case 'error':
                    setProgress(prev => ({
                        ...prev,
                        status: 'error',
                        error: data.message
                    }));
                    break;
            }
        };
        
        ws.onerror = () => {
            setProgress(prev => ({
                ...prev,
                status: 'error',
                error: 'WebSocket connection failed'
            }));
        };
        
        return () => {
            if (ws.readyState === WebSocket.OPEN) {
                ws.close();
            }
        };
    }, [operationId, token]);
    
    return progress;
}
