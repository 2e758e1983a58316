"""Schedules: a job request submitted again at the times of a cron expression."""
