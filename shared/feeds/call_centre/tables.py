"""The facts of the call centre: its menu, its areas, how often each thing happens, and where its clients live."""

from datetime import date

ZONE = "America/Sao_Paulo"

OPTIONS = ("EMP", "CRT", "FIN", "COB", "INF", "SEG", "BO2", "CAD", "LIM", "BLO", "TRS", "SEN", "INV", "PIX")
AREAS = ("Cartões", "Financiamento", "Cobrança", "Relacionamento")  # one for each manager

AUTHENTICATED_PERCENT = 85
PASSED_ON_PERCENT = 30
ANSWERED_PERCENT = 70  # of the calls that were passed on: those with a survey
MOST_OPTIONS = 10
MOST_ATTENDANCES = 7
BEST_MARK = 10

# seconds, from and to
RINGING = (1, 5)  # until the menu answers
MENU = (120, 300)
ATTENDANCE = (30, 300)
ANSWERING = (10, 120)  # after the last attendance

CLIENTS = 10_000
AGENTS = 1_000
SUPERVISORS, COORDINATORS, MANAGERS, DIRECTORS = 64, 16, 4, 2

FIRST_DAY = date(2026, 1, 1)
"""The day of the pool: on it clients and agents are as they were drawn, ages and dates are counted from it."""

SEGMENTS = (("Varejo", 68), ("Prime", 18), ("PJ", 9), ("Private", 3), ("Governo", 2))  # percent of the clients
AGES = (((18, 24), 14), ((25, 34), 24), ((35, 44), 23), ((45, 54), 17), ((55, 64), 12), ((65, 80), 10))  # percent
MAIL_DOMAINS = ("example.com", "example.net", "example.org")  # RFC 2606: nobody's

# federal unit, of a thousand clients (by population), cities; the first one has twice the clients of each other one
PLACES = (
    ("SP", 220, ("São Paulo", "Guarulhos", "Campinas", "São Bernardo do Campo", "Santos", "Ribeirão Preto")),
    ("MG", 100, ("Belo Horizonte", "Uberlândia", "Contagem", "Juiz de Fora")),
    ("RJ", 80, ("Rio de Janeiro", "São Gonçalo", "Duque de Caxias", "Niterói")),
    ("BA", 70, ("Salvador", "Feira de Santana", "Vitória da Conquista")),
    ("PR", 56, ("Curitiba", "Londrina", "Maringá")),
    ("RS", 54, ("Porto Alegre", "Caxias do Sul", "Pelotas")),
    ("PE", 45, ("Recife", "Jaboatão dos Guararapes", "Olinda")),
    ("CE", 43, ("Fortaleza", "Caucaia", "Juazeiro do Norte")),
    ("PA", 40, ("Belém", "Ananindeua", "Santarém")),
    ("SC", 37, ("Florianópolis", "Joinville", "Blumenau")),
    ("GO", 35, ("Goiânia", "Aparecida de Goiânia", "Anápolis")),
    ("MA", 33, ("São Luís", "Imperatriz")),
    ("AM", 20, ("Manaus", "Parintins")),
    ("ES", 19, ("Vitória", "Serra", "Vila Velha")),
    ("PB", 19, ("João Pessoa", "Campina Grande")),
    ("MT", 18, ("Cuiabá", "Várzea Grande")),
    ("RN", 16, ("Natal", "Mossoró")),
    ("AL", 15, ("Maceió", "Arapiraca")),
    ("PI", 15, ("Teresina", "Parnaíba")),
    ("DF", 14, ("Brasília",)),
    ("MS", 13, ("Campo Grande", "Dourados")),
    ("SE", 11, ("Aracaju", "Nossa Senhora do Socorro")),
    ("RO", 8, ("Porto Velho", "Ji-Paraná")),
    ("TO", 7, ("Palmas", "Araguaína")),
    ("AC", 4, ("Rio Branco",)),
    ("AP", 4, ("Macapá",)),
    ("RR", 4, ("Boa Vista",)),
)
