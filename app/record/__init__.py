"""What outlives a conversation, or could: kept by consent, looked at, taken along, erased. Free of HTTP."""
