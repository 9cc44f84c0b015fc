#!/bin/sh
# Google's client for Java against a served database: Maven brings it.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mvn -q -B dependency:build-classpath -Dmdep.outputFile="$scratch/classpath"
java -cp "$(cat "$scratch/classpath")" Suite.java
