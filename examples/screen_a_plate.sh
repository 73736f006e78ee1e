#!/usr/bin/env bash
# The same with curl:  examples/screen_a_plate.sh http://127.0.0.1:8080 plate/Images plate/platemap.csv
set -euo pipefail
url=$1

screen=$(curl --fail-with-body --silent "$url/screens" --json "{\"images\": \"$2\", \"plate_map\": \"$3\"}" |
  sed -E 's/.*"id":"([^"]+)".*/\1/')

# Server-sent events: the status as one line of JSON at every change, until the screen has ended.
curl --fail-with-body --silent --no-buffer "$url/screens/$screen/events" >&2

curl --fail-with-body --silent "$url/screens/$screen/hits" --header 'Accept: text/csv'
