"""The facts of the town that users walk through: its high streets, its stores, and how phones err."""

from datetime import date
from enum import IntEnum

ZONE = "Europe/London"
FIRST_DAY = date(2026, 1, 1)
"""The day from which the periods of promotions are counted."""

UNITS = 10_000_000
"""Places are whole numbers of this part of a degree: 1.1 cm of latitude."""

METRES_OF_DEGREE = 111_195.08  # of latitude, on a sphere of 6,371,008.8 m
EAST_SHARE = 0.6225  # a degree of longitude in London beside one of latitude: cos 51.5°

USERS = 1_000
TOURS = 4  # of each user, one after another
TOUR_MINUTES = 120
STOPS = 5  # of a tour at most
DWELL_SECONDS = (180, 900)
SPEED = (0.9, 1.7)  # metres a second, of a person who walks
HOME_METRES, STORE_METRES = 500, 600  # how far from the middle of their high street
OTHER_STREET_PERCENT = 25  # of the stops: in the high street that is next

DRAWN_STORES = 1_000
UNPLACED_EVERY = 200  # one drawn store in so many has no position
RADII = ((100, 10), (150, 20), (250, 55), (400, 15))  # metres, percent of the drawn stores
HOURS = ((420, 1140, 30), (540, 1200, 40), (660, 1410, 15), (1080, 120, 10), (0, 1440, 5))  # opens, closes, percent

PERCENTS = (5, 10, 10, 15, 15, 20, 20, 25, 30, 40, 50)
KINDS = ("Promotion", "Happy hour", "New customer", "Loyalty")
PERIOD_DAYS = (7, 14, 28)  # how often a store's promotion is followed by another one
LASTS_PERCENT = (50, 100)  # of its period

STREETS = (
    ("Charing Cross", 51.5073, -0.1276),
    ("Piccadilly", 51.5100, -0.1347),
    ("Oxford Street", 51.5152, -0.1420),
    ("Covent Garden", 51.5117, -0.1240),
    ("Holborn", 51.5174, -0.1201),
    ("Paddington", 51.5154, -0.1755),
    ("Marylebone", 51.5203, -0.1517),
    ("Notting Hill", 51.5090, -0.1963),
    ("Kensington", 51.5010, -0.1925),
    ("Chelsea", 51.4875, -0.1687),
    ("Victoria", 51.4965, -0.1436),
    ("Borough", 51.5011, -0.0937),
    ("Elephant and Castle", 51.4944, -0.1005),
    ("Brixton", 51.4626, -0.1146),
    ("Clapham", 51.4618, -0.1384),
    ("Camden Town", 51.5390, -0.1426),
    ("Kentish Town", 51.5505, -0.1405),
    ("Islington", 51.5362, -0.1033),
    ("Angel", 51.5322, -0.1058),
    ("Shoreditch", 51.5265, -0.0780),
    ("Whitechapel", 51.5195, -0.0610),
    ("Bank", 51.5133, -0.0886),
    ("Canary Wharf", 51.5054, -0.0235),
    ("Greenwich", 51.4826, -0.0077),
    ("Hackney", 51.5450, -0.0553),
)

KNOWN_STORES = (
    ("Charing Cross", "London", "Tesco", "Coffee Shop", 51.5073, -0.1276, 30),
    ("Piccadilly", "Piccadilly", "Costa", "Coffee Shop", 51.5100, -0.1347, 20),
    ("", "Amersham", "Starbucks", "Coffee Shop", 51.6741, -0.6074, 40),
    ("Borough", "Borough", "EatAway", "Restaurant", 51.5011, -0.0937, 20),
    ("Greenwich", "Greenwich", "prufrock coffee", "Coffee Shop", 51.4826, -0.0077, 50),
    ("Paddington", "Paddington", "Macdonalds", "Restaurant", 51.5154, -0.1755, 50),
    ("", "Rochester", "EatQuick", "Dining", 51.3880, 0.5065, 60),
    ("", "Rainham", "KissTheHippo", "Coffee Shop", 51.5172, 0.1903, 25),
)
"""The stores that are in every pool: high street, if any, location, merchant, service, latitude, longitude, percent.

Each lies in the middle of the place that its location names, and is open around the clock.
"""

SERVICES = (
    ("Coffee Shop", ("Morning Cup", "Bean Street", "The Grinder", "Steam & Foam", "Corner Roast")),
    ("Restaurant", ("Olive Table", "Golden Wok", "Little Naples", "Spice Route", "The Long Oak")),
    ("Bakery", ("Daily Crust", "Flour & Salt", "Sunrise Buns")),
    ("Bookshop", ("Turned Page", "Second Chapter", "Paper Lantern")),
    ("Grocery", ("Green Basket", "Fresh Mile", "Market Nine", "Larder")),
    ("Clothing", ("Thread House", "North Wardrobe", "Button Row")),
    ("Pharmacy", ("Well Street", "City Chemist")),
)

ACCURACY = (50, 200)  # decimetres, from and to, of a good point
POOR_TIMES = 10  # as many times less accurate is a poor one


class Flaw(IntEnum):
    """What may be wrong with a point."""

    NONE = 0
    POOR = 1
    BLANK = 2
    ZERO = 3
    OUT_OF_RANGE = 4
    SWAPPED = 5
    TELEPORT = 6


FLAWS = (
    (Flaw.NONE, 963),
    (Flaw.POOR, 12),
    (Flaw.BLANK, 8),
    (Flaw.ZERO, 5),
    (Flaw.OUT_OF_RANGE, 4),
    (Flaw.SWAPPED, 4),
    (Flaw.TELEPORT, 4),
)  # of a thousand points
OUT_OF_RANGE_DEGREES = 100  # are added to the latitude
TELEPORT_DEGREES = (1, 3)  # north of where the user is
