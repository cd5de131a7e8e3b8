#!/bin/bash
# The short form of the crash tests; `make crash-test` is the long one.
exec bash "$(dirname "$0")/../crash/crash.sh" short
