"""What comes in from tools: files are split into records, adapters map them, alerts are kept with their raw bytes."""
