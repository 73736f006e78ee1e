#!/bin/sh
# Save the database and the store of the compose stack in a folder, or put them back.
#
#   deploy/backup.sh save FOLDER      while everything runs
#   deploy/backup.sh restore FOLDER   replaces all that the stack holds now, and starts it again
#
# Run it in the folder of docker-compose.yml. COMPOSE is the command of compose. Elsewhere than in compose, GANDL_PG is what
# stands before pg_dump, psql and pg_restore (with PGHOST, PGUSER, PGDATABASE set), GANDL_FILES what stands before tar, and
# GANDL_STORE the folder of the store; services are then stopped and started by hand.
set -eu

COMPOSE=${COMPOSE:-docker compose}
PG=${GANDL_PG-$COMPOSE exec -T -e PGUSER=gandl -e PGDATABASE=gandl postgres}
FILES=${GANDL_FILES-$COMPOSE run -T --rm --no-deps analysis}
STORE=${GANDL_STORE:-/var/lib/gandl}
SERVICES="gateway worker analysis-worker analysis"
FOLDER=${2:-}

case "${1:-}-${FOLDER:+folder}" in
  save-folder)
    mkdir -p "$FOLDER"
    # The database first: files that it does not know do no harm, and rows without their files would.
    $PG pg_dump --format custom > "$FOLDER/gandl.dump.part"
    # tar ends with 1 where a folder got another file meanwhile; each file is complete, because it came by a rename.
    $FILES sh -c 'tar -C "$0" --exclude ".tmp-*" -cf - . || test $? -eq 1' "$STORE" > "$FOLDER/store.tar.part"
    mv "$FOLDER/gandl.dump.part" "$FOLDER/gandl.dump"
    mv "$FOLDER/store.tar.part" "$FOLDER/store.tar"
    ls -l "$FOLDER" ;;
  restore-folder)
    test -s "$FOLDER/gandl.dump" && test -s "$FOLDER/store.tar" || { echo "$FOLDER holds no backup" >&2; exit 2; }
    test -n "${GANDL_PG:-}" || $COMPOSE stop $SERVICES
    # Tables of a newer version would be in the way of the migrations, so the whole schema goes.
    $PG psql --quiet --set ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' \
        -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public'
    $PG sh -c 'pg_restore --exit-on-error --single-transaction --no-owner --dbname "$PGDATABASE"' < "$FOLDER/gandl.dump"
    $FILES sh -c 'find "$0" -mindepth 1 -delete; tar -C "$0" -xf -' "$STORE" < "$FOLDER/store.tar"
    # `up` would take replicas away that were added by --scale.
    test -n "${GANDL_PG:-}" || $COMPOSE start $SERVICES ;;
  *)
    sed -n '2,10p' "$0" >&2; exit 2 ;;
esac
