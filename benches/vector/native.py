"""hnswlib, compiled C++ behind Python, asked as the contenders of Node are: one line of JSON, one answer.

One thread throughout. A pass gives the time of each query, and of all of them in one call, in
which Python is called once.
"""
import json
import os
import resource
import sys
import time

import hnswlib
import numpy as np

data = {}
index = None


def rss():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()


def load_data(request):
    shape = (-1, request["dimensions"])
    data.update(
        base=np.fromfile(request["base"], dtype="<f4").reshape(shape),
        queries=np.fromfile(request["queries"], dtype="<f4").reshape(shape),
        dimensions=request["dimensions"],
    )
    return {}


def build(request):
    global index
    before = rss()
    start, cpu = time.perf_counter(), time.process_time()
    index = hnswlib.Index(space="ip", dim=data["dimensions"])
    index.init_index(max_elements=len(data["base"]), M=request["m"], ef_construction=request["efConstruction"], random_seed=42)
    index.set_num_threads(1)
    last = max(0, len(data["base"]) - 1000)
    index.add_items(data["base"][:last], np.arange(last), num_threads=1)
    late = time.process_time()
    index.add_items(data["base"][last:], np.arange(last, len(data["base"])), num_threads=1)
    end = time.process_time()
    return {
        "seconds": time.perf_counter() - start,
        "cpuSeconds": end - cpu,
        "lastMs": (end - late) * 1000 / (len(data["base"]) - last),
        "rssMiB": (rss() - before) / 2**20,
        "wasmMiB": None,
        "problems": 0,
    }


def timed(request):
    index.set_ef(request["ef"])
    k = request["k"]
    queries = data["queries"][: request["asked"]]
    ms, found = [], []
    for query in queries:
        start = time.perf_counter()
        labels, _ = index.knn_query(query, k=k, num_threads=1)
        ms.append((time.perf_counter() - start) * 1000)
        found.append(labels[0].tolist())
    start = time.perf_counter()
    index.knn_query(queries, k=k, num_threads=1)
    return {"ms": ms, "found": found, "reports": [], "together": (time.perf_counter() - start) * 1000}


def save(request):
    path = os.path.join(request["scratch"], f"native-{os.getpid()}.index")
    start = time.perf_counter()
    index.save_index(path)
    return {"bytes": os.path.getsize(path), "ms": (time.perf_counter() - start) * 1000}


def load(request):
    path = os.path.join(request["scratch"], f"native-{os.getpid()}.index")
    ms = []
    for _ in range(request["rounds"]):
        start = time.perf_counter()
        index.load_index(path, max_elements=len(data["base"]))
        ms.append((time.perf_counter() - start) * 1000)
    return {"ms": ms}


ACTIONS = {"data": load_data, "build": build, "pass": timed, "save": save, "load": load}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = ACTIONS[request["action"]](request)
    except Exception as error:  # whatever it is, it is told
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
