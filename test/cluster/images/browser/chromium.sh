#!/bin/sh
# The Chromium that Browserless starts: Debian's in the place of Playwright's. Not by /usr/bin/chromium: it would put flags of its own first.
exec /usr/lib/chromium/chromium "$@"
