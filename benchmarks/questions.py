"""Questions with known answers that a model of 135M parameters half knows, for `real_team.py`; the same for the same seed.

    python benchmarks/questions.py capital 5

Arithmetic and logic are reasoning-gym's (pip install reasoning-gym); the others are made here from lists of common knowledge.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

CAPITALS = dict(
    pair.split(":")
    for pair in (
        "Afghanistan:Kabul|Albania:Tirana|Algeria:Algiers|Angola:Luanda|Argentina:Buenos Aires|Armenia:Yerevan|Australia:Canberra|"
        "Austria:Vienna|Azerbaijan:Baku|Bahrain:Manama|Bangladesh:Dhaka|Belarus:Minsk|Belgium:Brussels|Bhutan:Thimphu|"
        "Botswana:Gaborone|Brazil:Brasília|Bulgaria:Sofia|Cambodia:Phnom Penh|Cameroon:Yaoundé|Canada:Ottawa|Chad:N'Djamena|"
        "Chile:Santiago|China:Beijing|Colombia:Bogotá|Costa Rica:San José|Croatia:Zagreb|Cuba:Havana|Cyprus:Nicosia|"
        "Denmark:Copenhagen|Ecuador:Quito|Egypt:Cairo|El Salvador:San Salvador|Eritrea:Asmara|Estonia:Tallinn|Ethiopia:Addis Ababa|"
        "Fiji:Suva|Finland:Helsinki|France:Paris|Gabon:Libreville|Georgia:Tbilisi|Germany:Berlin|Ghana:Accra|Greece:Athens|"
        "Guatemala:Guatemala City|Guinea:Conakry|Guyana:Georgetown|Haiti:Port-au-Prince|Honduras:Tegucigalpa|Hungary:Budapest|"
        "Iceland:Reykjavik|India:New Delhi|Indonesia:Jakarta|Iran:Tehran|Iraq:Baghdad|Ireland:Dublin|Italy:Rome|Jamaica:Kingston|"
        "Japan:Tokyo|Jordan:Amman|Kazakhstan:Astana|Kenya:Nairobi|Kuwait:Kuwait City|Kyrgyzstan:Bishkek|Laos:Vientiane|Latvia:Riga|"
        "Lebanon:Beirut|Liberia:Monrovia|Libya:Tripoli|Lithuania:Vilnius|Luxembourg:Luxembourg|Madagascar:Antananarivo|"
        "Malawi:Lilongwe|Malaysia:Kuala Lumpur|Mali:Bamako|Malta:Valletta|Mauritania:Nouakchott|Mexico:Mexico City|Moldova:Chisinau|"
        "Mongolia:Ulaanbaatar|Montenegro:Podgorica|Morocco:Rabat|Mozambique:Maputo|Myanmar:Naypyidaw|Namibia:Windhoek|"
        "Nepal:Kathmandu|New Zealand:Wellington|Nicaragua:Managua|Niger:Niamey|Nigeria:Abuja|North Korea:Pyongyang|Norway:Oslo|"
        "Oman:Muscat|Pakistan:Islamabad|Panama:Panama City|Papua New Guinea:Port Moresby|Paraguay:Asunción|Peru:Lima|"
        "the Philippines:Manila|Poland:Warsaw|Portugal:Lisbon|Qatar:Doha|Romania:Bucharest|Russia:Moscow|Rwanda:Kigali|"
        "Saudi Arabia:Riyadh|Senegal:Dakar|Serbia:Belgrade|Sierra Leone:Freetown|Singapore:Singapore|Slovakia:Bratislava|"
        "Slovenia:Ljubljana|Somalia:Mogadishu|South Korea:Seoul|Spain:Madrid|Sudan:Khartoum|Suriname:Paramaribo|Sweden:Stockholm|"
        "Switzerland:Bern|Syria:Damascus|Taiwan:Taipei|Tajikistan:Dushanbe|Thailand:Bangkok|Togo:Lomé|Tunisia:Tunis|Turkey:Ankara|"
        "Turkmenistan:Ashgabat|Uganda:Kampala|Ukraine:Kyiv|the United Arab Emirates:Abu Dhabi|the United Kingdom:London|"
        "the United States:Washington|Uruguay:Montevideo|Uzbekistan:Tashkent|Venezuela:Caracas|Vietnam:Hanoi|Yemen:Sanaa|"
        "Zambia:Lusaka|Zimbabwe:Harare|"
        "Alabama:Montgomery|Alaska:Juneau|Arizona:Phoenix|Arkansas:Little Rock|California:Sacramento|Colorado:Denver|"
        "Connecticut:Hartford|Delaware:Dover|Florida:Tallahassee|Hawaii:Honolulu|Idaho:Boise|Illinois:Springfield|"
        "Indiana:Indianapolis|Iowa:Des Moines|Kansas:Topeka|Kentucky:Frankfort|Louisiana:Baton Rouge|Maine:Augusta|"
        "Maryland:Annapolis|Massachusetts:Boston|Michigan:Lansing|Minnesota:Saint Paul|Mississippi:Jackson|"
        "Missouri:Jefferson City|Montana:Helena|Nebraska:Lincoln|Nevada:Carson City|New Hampshire:Concord|New Jersey:Trenton|"
        "New Mexico:Santa Fe|New York State:Albany|North Carolina:Raleigh|North Dakota:Bismarck|Ohio:Columbus|"
        "Oklahoma:Oklahoma City|Oregon:Salem|Pennsylvania:Harrisburg|Rhode Island:Providence|South Carolina:Columbia|"
        "South Dakota:Pierre|Tennessee:Nashville|Texas:Austin|Utah:Salt Lake City|Vermont:Montpelier|Virginia:Richmond|"
        "Washington State:Olympia|West Virginia:Charleston|Wisconsin:Madison|Wyoming:Cheyenne|Ontario:Toronto|Quebec:Quebec City|"
        "British Columbia:Victoria|Alberta:Edmonton|Manitoba:Winnipeg|Saskatchewan:Regina|Nova Scotia:Halifax|"
        "New South Wales:Sydney|Queensland:Brisbane|Western Australia:Perth|Tasmania:Hobart|South Australia:Adelaide|"
        "Bavaria:Munich|Saxony:Dresden|Hesse:Wiesbaden|Scotland:Edinburgh|Wales:Cardiff|Northern Ireland:Belfast|"
        "Catalonia:Barcelona|Andalusia:Seville|Sicily:Palermo|Tuscany:Florence|Lombardy:Milan|Tibet:Lhasa|Kerala:Thiruvananthapuram|"
        "Maharashtra:Mumbai|Gujarat:Gandhinagar|Rajasthan:Jaipur|Bihar:Patna|Karnataka:Bengaluru|West Bengal:Kolkata|Assam:Dispur|"
        "Punjab in Pakistan:Lahore|Sindh:Karachi|Hokkaido:Sapporo|Puerto Rico:San Juan|Greenland:Nuuk|Bermuda:Hamilton|"
        "Burkina Faso:Ouagadougou|Burundi:Gitega|Benin:Porto-Novo|Bolivia:Sucre|Belize:Belmopan|Barbados:Bridgetown|"
        "the Bahamas:Nassau|Cape Verde:Praia|the Gambia:Banjul|Grenada:St. George's|Djibouti:Djibouti|the Maldives:Malé|"
        "Mauritius:Port Louis|Monaco:Monaco|Lesotho:Maseru|Samoa:Apia|Tonga:Nukuʻalofa|Vanuatu:Port Vila|Israel:Jerusalem|"
        "Sri Lanka:Colombo|Tanzania:Dodoma|Trinidad and Tobago:Port of Spain|the Netherlands:Amsterdam|the Czech Republic:Prague|"
        "Ivory Coast:Yamoussoukro|Andorra:Andorra la Vella|Liechtenstein:Vaduz|Dominica:Roseau|Saint Lucia:Castries|Comoros:Moroni|"
        "Kosovo:Pristina|Bosnia and Herzegovina:Sarajevo|North Macedonia:Skopje|Palau:Ngerulmud"
    ).split("|")
)
"""Countries, states and provinces with their capitals."""

KINDS_OF_THINGS = {
    "fruit": "apple banana cherry mango pear grape plum peach lemon orange",
    "animal": "horse tiger rabbit eagle whale goat lion bear dog cow",
    "tool": "hammer saw wrench drill screwdriver axe shovel pliers chisel rake",
    "color": "red blue green yellow purple brown black white pink gray",
    "country": "France Brazil Japan Kenya Canada India Spain Egypt Mexico Norway",
    "vehicle": "car truck bicycle train bus boat airplane motorcycle van tractor",
    "musical instrument": "piano violin flute drum guitar trumpet harp cello clarinet organ",
    "piece of clothing": "shirt hat jacket skirt sock scarf coat dress glove sweater",
    "planet": "Mars Venus Jupiter Saturn Neptune Mercury Uranus Earth",
    "metal": "iron gold silver copper zinc tin lead aluminum",
    "piece of furniture": "chair table sofa desk bed shelf stool wardrobe",
    "drink": "milk coffee tea juice water wine beer lemonade",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with its answer."""

    question: str
    answer: str
    options: tuple[str, ...] = ()
    """The answers that it offers, if it does."""


def larger(chance: random.Random) -> Iterator[Problem]:
    """Two numbers below 1,000 to compare."""
    while True:
        one, other = chance.sample(range(10, 999), 2)
        yield Problem(f"Which number is larger, {one} or {other}?", str(max(one, other)))


def arithmetic(chance: random.Random) -> Iterator[Problem]:
    """Sums and differences of two numbers below 100 (reasoning-gym's chain_sum)."""
    import reasoning_gym

    options = {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 2}
    yield from _gym(
        reasoning_gym.create_dataset(
            "chain_sum", size=2000, seed=chance.randrange(2**31), **options
        )
    )


def logic(chance: random.Random) -> Iterator[Problem]:
    """Syllogisms, valid or not (reasoning-gym's syllogism)."""
    import reasoning_gym

    yield from _gym(
        reasoning_gym.create_dataset("syllogism", size=2000, seed=chance.randrange(2**31))
    )


def capital(chance: random.Random) -> Iterator[Problem]:
    """Capitals of countries, states and provinces, each once."""
    for place in chance.sample(sorted(CAPITALS), len(CAPITALS)):
        yield Problem(f"What is the capital of {place}?", CAPITALS[place])


def choice(chance: random.Random) -> Iterator[Problem]:
    """Three words, of which one is of a kind."""
    while True:
        kind, *others = chance.sample(sorted(KINDS_OF_THINGS), 3)
        things = [chance.choice(KINDS_OF_THINGS[each].split()) for each in (kind, *others)]
        right = things[0]
        chance.shuffle(things)
        article = "an" if kind[0] in "aeiou" else "a"
        yield Problem(f"Which word is {article} {kind}: {', '.join(things)}?", right, tuple(things))


KINDS: dict[str, Callable[[random.Random], Iterator[Problem]]] = {
    "larger": larger,
    "arithmetic": arithmetic,
    "capital": capital,
    "choice": choice,
    "logic": logic,
}


def _gym(dataset: Sequence[dict[str, str]]) -> Iterator[Problem]:
    for entry in dataset:
        yield Problem(
            entry["question"],
            entry["answer"],
            ("Yes", "No") if entry["answer"] in ("Yes", "No") else (),
        )


def problems(kind: str, count: int, seed: int) -> list[Problem]:
    """So many different problems of a kind."""
    found = {
        problem.question: problem
        for problem in islice(KINDS[kind](random.Random(f"{kind} {seed}")), 3 * count)
    }
    return list(found.values())[:count]


if __name__ == "__main__":
    for problem in problems(sys.argv[1], int(sys.argv[2]), seed=0):
        print(problem)
