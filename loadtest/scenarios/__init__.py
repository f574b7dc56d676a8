"""The days of sellers and of a court, as load: users of locust, and the truth about each answer."""
