"""`python -m pumpkin_services`: the platform service, as the Hub runs it."""

from pumpkin_services.app import main

if __name__ == "__main__":
    main()
