"""Running a notebook as a job: `python -m pumpkin.notebook`, the command the platform gives such jobs.

It runs in the job's own environment, which has nbclient and ipykernel and need not have anything else: the rest is the
standard library's.
"""
