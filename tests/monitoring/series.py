"""Series for the tests of rules: those of a healthy service, and what differs when it is not.

Each is the text of a series, and its values once a minute as promtool reads them: `0+60x120` begins
at 0 and grows by 60, 120 times.
"""

from typing import TypeAlias

Series: TypeAlias = dict[str, str]

MINUTES = 120
REPLICA = 'job="service", instance="replica:5002"'
BALANCER = 'job="balancer", instance="balancer:8405"'
MODEL = f'{REPLICA}, version="0123456789ab"'
REQUESTS = f"service_requests_total{{{REPLICA}, route="
RESPONSES = (
    f'haproxy_frontend_http_responses_total{{{BALANCER}, proxy="requests"'
)
SECONDS = f'service_request_duration_seconds_bucket{{{REPLICA}, route="/predict", le='
PROBLEMS = f"service_problems_total{{{REPLICA}, reason="
SHOP = f'service_client_requests_total{{{REPLICA}, client="shop", class='
QUEUE = f"haproxy_backend_current_queue{{{BALANCER}, proxy="
SERVER = f'haproxy_server_status{{{BALANCER}, proxy="predictions", server='
SWAPS = f"service_swaps_total{{{REPLICA}, result="
BINS = f'model_feature_values_total{{{MODEL}, feature="age", bin='
EXPECTED = f'model_feature_expected_share{{{MODEL}, feature="age", bin='
MISSING = f'model_missing_values_total{{{MODEL}, feature="age"}}'
DEFAULTED = f'model_defaulted_values_total{{{MODEL}, feature="age"}}'
ACTIVE = f'haproxy_backend_active_servers{{{BALANCER}, proxy="predictions"}}'
READY = f"service_workers_ready{{{REPLICA}}}"
STARTS = f"service_worker_starts_total{{{REPLICA}}}"
HARAKIRIS = f"service_harakiris_total{{{REPLICA}}}"


def always(value: float) -> str:
    return f"{value}x{MINUTES}"


def growing(by_minute: float) -> str:
    return f"0+{by_minute}x{MINUTES}"


def after(minutes: int, first: str, then: str) -> str:
    """Return values that become others after so many minutes; both are such as `0` or `0+1`."""
    return f"{first}x{minutes} {then}x{MINUTES - minutes}"


HEALTHY: Series = {
    f"up{{{REPLICA}}}": always(1),
    f"up{{{BALANCER}}}": always(1),
    f"service_workers{{{REPLICA}}}": always(2),
    READY: always(2),
    STARTS: always(2),
    HARAKIRIS: always(0),
    f"service_queue_connections{{{REPLICA}}}": always(0),
    f"service_queue_limit_connections{{{REPLICA}}}": always(1024),
    f'{REQUESTS}"/predict", status="200"}}': growing(6000),
    f'{REQUESTS}"/predict", status="500"}}': growing(6),
    f'{SECONDS}"0.01"}}': growing(5900),
    f'{SECONDS}"1"}}': growing(6000),
    f'{SECONDS}"+Inf"}}': growing(6006),
    f'{PROBLEMS}"records"}}': growing(60),
    f'{PROBLEMS}"body_size"}}': growing(1),
    f'{SHOP}"2xx"}}': growing(6000),
    f'{SHOP}"4xx"}}': growing(60),
    f'{SWAPS}"done"}}': always(1),
    f'{SWAPS}"refused"}}': always(0),
    f'{SWAPS}"failed"}}': always(0),
    ACTIVE: always(2),
    f'{SERVER}"replica1", state="DOWN"}}': always(0),
    f'{RESPONSES}, code="2xx"}}': growing(6000),
    f'{RESPONSES}, code="5xx"}}': growing(6),
    f"haproxy_process_recv_logs_total{{{BALANCER}}}": growing(1),
    f'{QUEUE}"predictions"}}': always(5),
    f'{QUEUE}"explanations"}}': always(1),
    f"model_workers{{{MODEL}}}": always(2),
    f"model_records_total{{{MODEL}}}": growing(6000),
    MISSING: growing(300),
    DEFAULTED: growing(0),
    f'{BINS}"00: below 18"}}': growing(1600),
    f'{BINS}"01: above 18"}}': growing(1400),
    f'{BINS}"missing"}}': growing(300),
    f'{EXPECTED}"00: below 18"}}': always(0.5),
    f'{EXPECTED}"01: above 18"}}': always(0.45),
    f'{EXPECTED}"missing"}}': always(0.05),
}

# What is wrong by the name of the alert that it fires.
WRONG: dict[str, list[Series]] = {
    "NoReplicaReady": [{READY: always(0)}, {ACTIVE: always(0)}],
    "ReplicaDown": [{f'{SERVER}"replica1", state="DOWN"}}': always(1)}],
    "TargetMissing": [
        {f"up{{{REPLICA}}}": always(0)},
        {f"up{{{REPLICA}}}": "_"},
        {f"up{{{BALANCER}}}": "_"},
    ],
    "RequestsFail": [
        {f'{REQUESTS}"/predict", status="500"}}': growing(70)},
        {f'{RESPONSES}, code="5xx"}}': growing(70)},
    ],
    "RequestsSlow": [
        {
            f'{SECONDS}"1"}}': growing(5910),
            f'{SECONDS}"2.5"}}': growing(6006),
        }
    ],
    "RecordsDoNotFit": [{f'{PROBLEMS}"records"}}': growing(1500)}],
    "WorkerTookTooLong": [{HARAKIRIS: after(100, "0", "1")}],
    "WorkersEnd": [{STARTS: growing(1)}],
    "SwapRefused": [
        {f'{SWAPS}"refused"}}': after(100, "0", "1")},
        {f'{SWAPS}"failed"}}': after(100, "0", "1")},
    ],
    "ModelsDiffer": [
        {f'model_workers{{{REPLICA}, version="ba9876543210"}}': always(1)}
    ],
    "QueueLong": [
        {f'{QUEUE}"predictions"}}': always(101)},
        {f'{QUEUE}"explanations"}}': always(11)},
    ],
    "QueueFull": [
        {f'{QUEUE}"predictions"}}': always(1000)},
        {f'{QUEUE}"explanations"}}': always(100)},
        {f"service_queue_connections{{{REPLICA}}}": always(1000)},
    ],
    "LimitsHit": [
        {f'{PROBLEMS}"body_size"}}': growing(60)},
        {f"haproxy_process_recv_logs_total{{{BALANCER}}}": growing(60)},
    ],
    "ClientRefused": [{f'{SHOP}"4xx"}}': growing(7000)}],
    "Drift": [
        {
            f'{BINS}"00: below 18"}}': growing(300),
            f'{BINS}"01: above 18"}}': growing(2700),
        }
    ],
    "FeatureMissing": [
        {MISSING: after(90, "0+300", "27000+3000")},
        {DEFAULTED: after(90, "0+0", "0+3000")},
    ],
}
# What is wrong in two ways at once.
ALSO = {"QueueFull": {"QueueLong"}}

# Near to what is wrong, and right: nothing fires.
ALMOST: dict[str, Series] = {
    "a queue that is gone after a minute": {
        f'{QUEUE}"predictions"}}': f"0x{MINUTES - 21} 200 0x20"
    },
    "a replica that is restarted": {
        f'{SERVER}"replica1", state="DOWN"}}': f"0x{MINUTES - 21} 1 0x20"
    },
    "workers that start anew for a swap": {
        STARTS: after(100, "2", "12"),
        f'{SWAPS}"done"}}': after(100, "1", "2"),
    },
    "two models during a swap": {
        f'model_workers{{{REPLICA}, version="ba9876543210"}}': f"_x{MINUTES - 9} 1x8"
    },
    "too few records to say anything": {
        f"model_records_total{{{MODEL}}}": growing(6),
        MISSING: growing(6),
        f'{BINS}"00: below 18"}}': growing(0.5),
        f'{BINS}"01: above 18"}}': growing(6),
        f'{BINS}"missing"}}': growing(0),
    },
    "a feature that was missing as often in the training data": {
        MISSING: after(90, "0+300", "27000+3000"),
        f'{EXPECTED}"missing"}}': always(0.55),
        f'{EXPECTED}"00: below 18"}}': always(0.25),
        f'{EXPECTED}"01: above 18"}}': always(0.2),
        f'{BINS}"missing"}}': growing(3600),
    },
    "no requests": {
        f'{REQUESTS}"/predict", status="200"}}': always(9),
        f'{REQUESTS}"/predict", status="500"}}': always(9),
        f'{RESPONSES}, code="2xx"}}': always(9),
        f'{RESPONSES}, code="5xx"}}': always(9),
    },
}
