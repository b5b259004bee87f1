"""The facts of the web shop: how users look at its pages, how often each thing happens, and who they are."""

from datetime import date

METHODS = (("GET", 70), ("POST", 14), ("PUT", 5), ("DELETE", 3), ("PATCH", 3), ("HEAD", 3), ("OPTIONS", 2))  # percent

MOST_VIEWS = 30  # of a session, which has at least one
GAP = (10.0, 5.0)  # seconds between two views: the size of a normal number of this mean and deviation
LATENCY = (200.0, 50.0)  # milliseconds, in the same way
SLOW_PERCENT = 1
SLOW = (500, 5_000)  # milliseconds, from and to
BLANK_PERCENT = 1  # of the views: their address is not known

STARRED = 20  # of 1,000 sessions
MOST_STARS = 5
STARRING = (1_000, 5_000)  # milliseconds after the view

MOST_ITEMS = 10
ITEM_VALUE = (100, 999_999)  # hundredths of a crown, from and to; so an order is worth 1 to 100,000 crowns
ORDERING = (1_000, 20_000)  # milliseconds after the view

USERS, VIPS, PRODUCTS = 10_000, 500, 1_000
MOST_USERS, MOST_PRODUCTS = 10_000_000, 1_000_000
ORDERS = 20  # of 1,000 views

# Of Faker's words; what is made of them are many more users and products than these.
FIRST_NAMES, LAST_NAMES, STREETS, SENTENCES, JOBS, NOUNS = 400, 1_200, 2_000, 1_500, 600, 800
ADDRESSES, AGENTS, PAGES = 16_384, 2_048, 4_096
LONGEST_AGENT, LONGEST_PAGE = 132, 64

BORN = (date(1954, 1, 1), date(2008, 1, 1))
"""The first and the day after the last day of birth: since 1954 all birth numbers have ten digits."""

SHOP = "https://shop.example.com/"

# Region, of a thousand users (by population), cities.
PLACES = (
    ("Hlavní město Praha", 125, ("Praha",)),
    ("Středočeský kraj", 133, ("Kladno", "Mladá Boleslav", "Příbram", "Kolín", "Kutná Hora")),
    ("Jihočeský kraj", 60, ("České Budějovice", "Tábor", "Písek", "Strakonice")),
    ("Plzeňský kraj", 56, ("Plzeň", "Klatovy", "Rokycany")),
    ("Karlovarský kraj", 27, ("Karlovy Vary", "Cheb", "Sokolov")),
    ("Ústecký kraj", 75, ("Ústí nad Labem", "Most", "Děčín", "Teplice", "Chomutov")),
    ("Liberecký kraj", 42, ("Liberec", "Jablonec nad Nisou", "Česká Lípa")),
    ("Královéhradecký kraj", 51, ("Hradec Králové", "Trutnov", "Náchod")),
    ("Pardubický kraj", 49, ("Pardubice", "Chrudim", "Svitavy")),
    ("Kraj Vysočina", 48, ("Jihlava", "Třebíč", "Havlíčkův Brod")),
    ("Jihomoravský kraj", 114, ("Brno", "Znojmo", "Hodonín", "Břeclav")),
    ("Olomoucký kraj", 59, ("Olomouc", "Prostějov", "Přerov")),
    ("Zlínský kraj", 54, ("Zlín", "Kroměříž", "Vsetín")),
    ("Moravskoslezský kraj", 107, ("Ostrava", "Havířov", "Karviná", "Opava", "Frýdek-Místek")),
)
