async def load_test_websockets(num_connections: int, token: str):
    tasks = []
    for i in range(num_connections):
        operation_id = f"load-test-{i}"
        task = asyncio.create_task(maintain_connection(operation_id, token))
        tasks.append(task)
    
    # Run all connections for 60 seconds
    await asyncio.sleep(60)
    
    # Cancel all tasks
    for task in tasks:
        task.cancel()
