#!/bin/sh
# Run once, when the image makes its data directory: the roles and databases of Holdfast, none of them a superuser's. The owner
# migrates; `holdfast_api` serves requests, one account at a time; `holdfast_background` sees all accounts. Each may come by its
# own address alone.
set -eu
psql -v ON_ERROR_STOP=1 -v owner="$OWNER_PASSWORD" -v api="$API_PASSWORD" -v background="$BACKGROUND_PASSWORD" -v sandbox="$SANDBOX_PASSWORD" \
  --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE holdfast_owner LOGIN PASSWORD :'owner';
CREATE ROLE holdfast_api LOGIN PASSWORD :'api';
CREATE ROLE holdfast_background LOGIN PASSWORD :'background';
CREATE ROLE holdfast_sandbox LOGIN PASSWORD :'sandbox';
CREATE DATABASE holdfast OWNER holdfast_owner;
CREATE DATABASE holdfast_sandbox OWNER holdfast_sandbox;
REVOKE ALL ON DATABASE holdfast, holdfast_sandbox FROM PUBLIC;
GRANT CONNECT ON DATABASE holdfast TO holdfast_api, holdfast_background;
SQL
