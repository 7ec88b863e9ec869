"""What every HTTP function shares: routes, the guard around handlers, problem responses, streams, the API document."""
