"""Words that everything uses: errors, time, ids, names, durations, settings, background tasks."""
