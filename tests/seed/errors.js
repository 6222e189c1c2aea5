// Comprehensive error handling example
class RobustOperationClient {
    handleError(error: any, context: string) {
        console.error(`Error in ${context}:`, error);
        
        // Notify user appropriately
        if (error.code === 1008) {
            this.notifyUser('Authentication failed. Please log in again.');
        } else if (error.code === 1011) {
            this.notifyUser('Server error. Please try again later.');
        } else if (error.message?.includes('network')) {
            this.notifyUser('Network connection lost. Reconnecting...');
        } else {
            this.notifyUser('An unexpected error occurred.');
        }
        
        // Log to monitoring service
        this.logToMonitoring({
            error: error.message || 'Unknown error',
            context,
            operationId: this.operationId,
            timestamp: new Date().toISOString()
        });
    }
}
