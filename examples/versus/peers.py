"""Python's side of the comparison: peers.py CONTEST ENTRANT N prints its figures as JSON.

Pools are warm before the clock starts, and each way of calling them gets the chunk sizes that suit it.
"""

import concurrent.futures
import json
import multiprocessing
import subprocess
import sys
import time

WORKERS = 2


def noop(n):
    return n


def size(payload):
    return len(payload)


def echo(payload):
    return payload


def quantile(values, q):
    return sorted(values)[int(q * (len(values) - 1))]


def executor(method, workers=WORKERS):
    pool = concurrent.futures.ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method))
    list(pool.map(noop, range(100)))
    return pool


def timed(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def no_op(entrant, n):
    if entrant == "executor map 64":
        with executor("fork") as pool:
            return {"tasks/s": n / timed(lambda: sum(1 for _ in pool.map(noop, range(n), chunksize=64)))}
    if entrant.startswith("executor"):
        method = entrant.split()[1]
        with executor(method) as pool:

            def run():
                for f in concurrent.futures.as_completed([pool.submit(noop, i) for i in range(n)]):
                    f.result()

            return {"tasks/s": n / timed(run)}
    with multiprocessing.Pool(WORKERS) as pool:
        pool.map(noop, range(100))
        if entrant == "pool apply_async":

            def run():
                for r in [pool.apply_async(noop, (i,)) for i in range(n)]:
                    r.get()
        else:

            def run():
                chunk = 64 if entrant.endswith(" 64") else 1
                for _ in pool.imap_unordered(noop, range(n), chunk):
                    pass

        return {"tasks/s": n / timed(run)}


def mapped(entrant, n):
    if entrant.startswith("pool map"):
        chunk = 100_000 if entrant.endswith(" 100000") else None  # None: automatic
        with multiprocessing.Pool(WORKERS) as pool:
            pool.map(noop, range(100))
            return {"items/s": n / timed(lambda: pool.map(noop, range(n), chunk))}
    if entrant.startswith("pool imap"):
        with multiprocessing.Pool(WORKERS) as pool:
            pool.map(noop, range(100))
            return {"items/s": n / timed(lambda: sum(1 for _ in pool.imap_unordered(noop, range(n), 10_000)))}
    with executor("fork") as pool:
        return {"items/s": n / timed(lambda: sum(1 for _ in pool.map(noop, range(n), chunksize=10_000)))}


def round_trip(entrant, n):
    with executor(entrant.split()[1], 1) as pool:
        times = [timed(lambda: pool.submit(noop, 1).result()) * 1e6 for _ in range(n)]
    return {"p50 µs": quantile(times, 0.5), "p99 µs": quantile(times, 0.99)}


def payload(entrant, mib):
    data = bytes(mib << 20)
    with executor("fork", 1) as pool:
        pool.submit(size, data).result()
        there = min(timed(lambda: pool.submit(size, data).result()) for _ in range(3))
        both = min(timed(lambda: pool.submit(echo, data).result()) for _ in range(3))
    return {"length MiB/s": mib / there, "echo MiB/s": mib / both}


def commands(entrant, n):
    with concurrent.futures.ThreadPoolExecutor(32) as threads:

        def run():
            for r in threads.map(lambda _: subprocess.run(["true"], capture_output=True, check=True), range(n)):
                assert r.returncode == 0

        return {"commands/s": n / timed(run)}


CONTESTS = {
    "no-op": no_op,
    "map": mapped,
    "round trip": round_trip,
    "payload": payload,
    "commands": commands,
}

if __name__ == "__main__":
    contest, entrant, n = sys.argv[1:]
    json.dump(CONTESTS[contest](entrant, int(n)), sys.stdout)
