#!/bin/sh
# Make what needs the code to be there: the Event Grid subscription and the factory's function key.
set -eu

if [ "${CODE_IS_PUBLISHED:-false}" = true ]; then
  exit 0
fi
azd env set CODE_IS_PUBLISHED true
CODE_IS_PUBLISHED=true azd provision --no-prompt || {
  azd env set CODE_IS_PUBLISHED false
  printf 'The second stage failed: see the output above, then run `azd deploy` again.\n' >&2
  exit 1
}
