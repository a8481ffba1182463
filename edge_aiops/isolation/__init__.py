"""Models in worker processes, and in threads of their own: they may crash, hang or run out of memory alone.

::

    session = await start_worker(WorkerRequest(framework="onnx", source=source))     # edge_aiops.isolation.session
    outputs = await session.predict(inputs)
    await session.close()

`start_worker` gives a `plugin.Session` whose model lives in a process. It has `generate`, `count_tokens` and `check`
exactly where the model has them, `memory_bytes()`, `pid` and `sandbox`. It starts its process again whenever that
dies; calls that were under way raise `ModelCrashed`, `ModelOutOfMemory` or `ModelHung`, and calls meanwhile wait, or
raise `Unavailable` where the model does not load any more. `edge_aiops.isolation.threaded.start_thread` is the same
for a thread. A session belongs to the event loop that started it; a worker dies with the thread that started it.

Nothing is imported here: a worker confines itself before it imports anything that starts threads.
"""
