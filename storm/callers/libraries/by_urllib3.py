import urllib3
from urllib3.util import Retry

http = urllib3.PoolManager()


def usual(url, headers, order):
    return http.request("POST", url, headers=headers, json=order, timeout=2)


def right(url, headers, order):
    class UntilRefused(Retry):
        RETRY_AFTER_STATUS_CODES = range(400, 500)
    again = UntilRefused(total=40, allowed_methods=None, status_forcelist=range(500, 600), backoff_factor=0.1, backoff_max=3)
    return http.request("POST", url, headers=headers, json=order, timeout=2, retries=again)
