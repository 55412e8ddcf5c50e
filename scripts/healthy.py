"""Exit 0 if the web server of this container answers, for the image's health check."""

import http.client
import os
import sys

# As the proxy would ask, or the answer would be a redirect to https.
HEADERS = {"Host": os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0], "X-Forwarded-Proto": "https"}

connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=4)
connection.request("GET", "/health/live", headers=HEADERS)
sys.exit(connection.getresponse().status >= http.HTTPStatus.BAD_REQUEST)
