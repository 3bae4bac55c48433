"""The vocabulary of invented people: words, hashtags and the countries that they come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """Words of captions and transcripts, and hashtags used beside the common ones."""

    words: tuple[str, ...]
    hashtags: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENGLISH = Language(
    words=_words(
        "my best homemade bread with butter and melted cheese today so good you have to try this "
        "recipe morning coffee walk weekend garden dog learning to dance new song who else wait "
        "for the end part two easy dinner friends summer rain"
    ),
    hashtags=("homemade", "dinnerideas", "sourdough", "booktok", "cleaning", "gym", "plants"),
)
FRENCH = Language(
    words=_words(
        "ma recette préférée du pain avec beurre et fromage fondu ce matin très bon à essayer "
        "chez nous le marché café promenade jardin chien été pluie nouvelle chanson merci"
    ),
    hashtags=("fromage", "beurre", "recettefacile", "boulangerie", "humour", "été", "pourtoi"),
)
GERMAN = Language(
    words=_words(
        "heute gibt es frisches brot mit butter und käse einfach lecker mein lieblingsrezept für "
        "euch morgen im garten spaziergang größte überraschung hund wochenende kaffee"
    ),
    hashtags=("käse", "abendbrot", "rezept", "fürdich", "lustig", "fußball"),
)
SPANISH = Language(
    words=_words(
        "hoy pan con mantequilla y queso muy rico receta fácil para la mañana mi perro el jardín "
        "canción nueva baile fin de semana con amigos qué bonito día de lluvia corazón"
    ),
    hashtags=("queso", "recetas", "parati", "cocina", "humor", "niños", "viajes"),
)
PORTUGUESE = Language(
    words=_words(
        "hoje pão com manteiga e queijo muito bom receita fácil para a manhã meu cachorro "
        "música nova dança coração saudade praia verão com amigos"
    ),
    hashtags=("queijo", "receitas", "pravoce", "praia", "verão", "futebol"),
)
ITALIAN = Language(
    words=_words(
        "oggi pane con burro e formaggio buonissimo ricetta facile della nonna per voi una "
        "passeggiata caffè città perché estate canzone nuova"
    ),
    hashtags=("formaggio", "ricette", "perte", "cucina", "estate"),
)
POLISH = Language(
    words=_words(
        "dzisiaj chleb z masłem i serem bardzo dobry przepis na śniadanie mój pies ogród "
        "wycieczka muzyka taniec dziękuję"
    ),
    hashtags=("ser", "przepis", "dlaciebie", "śmieszne"),
)
TURKISH = Language(
    words=_words(
        "bugün peynir ile ekmek çok güzel kolay tarif akşam köpeğim bahçe öğle dans yağmur güneş"
    ),
    hashtags=("peynir", "tarif", "keşfet", "akşam"),
)
INDONESIAN = Language(
    words=_words(
        "hari ini roti dengan mentega dan keju enak sekali resep mudah pagi kopi jalan jalan "
        "kucing lagu baru teman hujan"
    ),
    hashtags=("keju", "resep", "fypシ", "kucing", "masak"),
)
ARABIC = Language(
    words=_words("خبز مع زبدة و جبن اليوم لذيذ جدا وصفة سهلة صباح الخير قهوة أغنية جديدة مطر"),
    hashtags=("جبن", "وصفة", "اكسبلور", "قهوة"),
)
HEBREW = Language(
    words=_words("לחם עם חמאה גבינה היום טעים מאוד מתכון קל בוקר טוב קפה שיר חדש גשם"),
    hashtags=("גבינה", "מתכון", "בוקרטוב"),
)
JAPANESE = Language(
    words=_words(
        "今日 の パン と バター チーズ 美味しい 簡単 レシピ 朝ごはん 散歩 犬 新曲 踊ってみた 雨"
    ),
    hashtags=("チーズ", "レシピ", "おすすめ", "朝ごはん", "犬のいる暮らし"),
)
KOREAN = Language(
    words=_words("오늘 빵 버터 치즈 정말 맛있어요 간단한 레시피 아침 커피 산책 강아지 노래 춤 비"),
    hashtags=("치즈", "레시피", "추천", "일상"),
)
HINDI = Language(
    words=_words("आज रोटी मक्खन और पनीर बहुत अच्छा आसान रेसिपी सुबह चाय गाना नया नाच बारिश"),
    hashtags=("पनीर", "रेसिपी", "चाय"),
)
UKRAINIAN = Language(
    words=_words("сьогодні хліб з маслом та сиром дуже смачно рецепт ранок кава пісня танець дощ"),
    hashtags=("сир", "рецепт", "рекомендації"),
)

COUNTRIES: tuple[tuple[str, Language, int], ...] = (
    ("US", ENGLISH, 300),
    ("FR", FRENCH, 120),
    ("GB", ENGLISH, 80),
    ("DE", GERMAN, 70),
    ("JP", JAPANESE, 55),
    ("BR", PORTUGUESE, 55),
    ("MX", SPANISH, 45),
    ("ES", SPANISH, 40),
    ("IT", ITALIAN, 35),
    ("ID", INDONESIAN, 35),
    ("TR", TURKISH, 25),
    ("SA", ARABIC, 25),
    ("EG", ARABIC, 20),
    ("KR", KOREAN, 20),
    ("IN", HINDI, 20),
    ("PL", POLISH, 15),
    ("NO", ENGLISH, 10),
    ("IL", HEBREW, 10),
    ("UA", UKRAINIAN, 10),
    ("NG", ENGLISH, 10),
)
"""Region codes, what is spoken there, and how many of a thousand accounts are registered there."""

COMMON_HASHTAGS = _words(
    "fyp foryou viral cheese food butter recipe cooking funny music dance trending foodtok love "
    "baking bread breakfast dog cat travel fashion news football ad art diy makeup school summer "
    "christmas vegan coffee pasta pizza dessert chocolate toast garden nature science history "
    "elections2024 climate health fitness running gaming anime books movies comedy storytime asmr "
    "tutorial lifehack family baby wedding birthday vlog ootd skincare hair nails car train bike "
    "0777 on no"
)
"""Used everywhere; the most used first."""

HASHTAGS = tuple(
    dict.fromkeys((*COMMON_HASHTAGS, *(tag for _, each, _ in COUNTRIES for tag in each.hashtags)))
)
"""All but the rare ones, which are made of adjectives and nouns; those used everywhere first."""

EMOJI = ("😀", "😂", "🥐", "🧀", "🧈", "❤️", "🔥", "👩‍🍳", "🇫🇷", "👍🏽", "✨", "🏳️‍🌈")

ADJECTIVES = _words(
    "quiet sunny amber brisk cosmic dusty early fuzzy gentle hazel icy jolly keen lucky mellow "
    "noble olive plucky rapid silver tiny urban velvet witty young zesty"
)
NOUNS = _words(
    "otter baker comet daisy ember falcon ginger harbor island juniper kettle lantern maple nectar "
    "orchard pebble quartz river saffron teapot umbrella violet walnut yarrow zephyr"
)

EFFECTS = ("Green Screen", "Time Warp", "Bold Glamour", "Voice Echo", "Confetti", "Rotoscope")
STICKERS = ("Poll", "Sparkle", "Question box", "Countdown", "Pizza slice", "Good morning")
