"""The words of a search and of a product have the same form."""

# ruff: noqa: RUF001 -- characters that resemble others are what is tested

import pytest

from product_service.domain.search_words import category_key, searched_words, stored_words


def finds(search, *texts):
    stored = set(stored_words(texts))
    return all(forms & stored for forms in searched_words(search))


@pytest.mark.parametrize(
    ("search", "text"),
    [
        *(("men's", "Men’s shoes"), ("men’s", "Men's"), ("mens", "Men’s"), ("men", "men's"), ("men`s", "men´s")),
        *(("“shirt”", "Shirt"), ("shirt", "„Shirt“"), ('"shirt"', "«shirt»"), ("'shirt'", "‹shirt›")),
        *(("GRÖSSE", "Größe"), ("Größe", "GRÖSSE"), ("GRÖẞE", "größe"), ("grosse", "Größe"), ("CAFE", "café")),
        *(
            ("lamp-stand", "Lamp–Stand"),
            ("lamp—stand", "lamp‑stand"),
            ("lamp−stand", "lamp‐stand"),
            ("stand", "Lamp–Stand"),
        ),
        *(
            ("lamps", "lamp"),
            ("lamp", "Lamps"),
            ("boxes", "box"),
            ("box", "boxes"),
            ("dishes", "dish"),
            ("watch", "watches"),
        ),
        *(("battery", "batteries"), ("movies", "movie"), ("glass", "glasses"), ("dresses", "dress"), ("bus", "buses")),
        *(("shelves", "shelf"), ("knife", "knives"), ("glove", "gloves"), ("potatoes", "potato"), ("shoes", "shoe")),
        *(
            ("cases", "case"),
            ("houses", "house"),
            ("lens", "lenses"),
            ("axes", "axe"),
            ("quiz", "quizzes"),
            ("sizes", "size"),
        ),
        *(
            ("women", "Woman"),
            ("child", "Children’s books"),
            ("foot", "feet"),
            ("t-shirts", "T-Shirt"),
            ("keys", "key"),
        ),
        *(("ab-12", "AB-12"), ("AB_12/3", "ab-12/3-x"), ("ab", "AB-12"), ("ＡＢ１２", "ab12"), ("12", "12″ screen")),
        *(("लैंप", "लैंप नया"), ("می‌خواهم", "می‌خواهم"), ("lego", "LEGO®"), ("lego", "Lego™"), ("ﬁsh", "FISH")),
        *(
            ("TVs", "TV 55″"),
            ("tv", "TVs"),
            ("cds", "CD"),
            ("pc", "PCs"),
            ("womens", "Woman"),
            ("childrens", "child’s"),
        ),
        *(("people", "Person"), ("dice", "die"), ("oxen", "ox"), ("indices", "index"), ("cactus", "Cacti")),
        *(("hawai'i", "Hawaiʻi"), ("men՚s", "men's"), ("menꞌs", "men׳s"), ("oneʾs", "one's")),
        *(("smorrebrod", "Smørrebrød"), ("LODZ", "łódź"), ("da nang", "Đà Nẵng"), ("oeuvre", "Œuvre"), ("ISI", "ısı")),
        *(("bjork", "BJÖRK"), ("aeble", "Æble"), ("thor", "Þór"), ("16 gb", "١٦ GB"), ("مكتب", "مكتـــب")),
        *(
            ("ランプ", "調光できるランプ"),
            ("ﾗﾝﾌﾟ", "LEDランプ"),
            ("桌子", "木桌子"),
            ("灯", "台灯"),
            ("led", "LEDランプ"),
            ("ไม้", "โต๊ะไม้"),
        ),
        *(("調光 ランプ", "調光できるランプ"), ("LEDランプ", "LEDランプ 10W"), ("がく", "がくぶち"), ("ไม้", "โต๊ะไม้")),
        *(("ΟΔΟΣ", "οδος"), ("istanbul", "İstanbul"), ("m²", "m2"), ("lamp, red", "Red lamp.")),
    ],
)
def test_a_search_finds_what_people_mean(search, text):
    assert searched_words(search)
    assert finds(search, text)


@pytest.mark.parametrize(
    ("search", "text"),
    [
        *(("lam", "lamp"), ("lamp", "lampshade"), ("cap", "cape"), ("caps", "cape"), ("car", "care"), ("cars", "care")),
        *(
            ("pan", "panes"),
            ("bu", "bus"),
            ("gla", "glass"),
            ("new", "renew"),
            ("lamp chair", "lamp"),
            ("ab-12", "12-ab"),
        ),
        *(("ab-12", "AB-1 12"), ("lamp-stand", "stand-lamp"), ("x-1-2", "X-2-1"), ("shirt", "t-shorts")),
        *(("ga", "gas"), ("ye", "yes"), ("ランチ", "ランプ"), ("子桌", "木桌子"), ("灯台", "台灯")),
    ],
)
def test_a_search_finds_whole_words_and_all_of_them(search, text):
    assert not finds(search, text)


@pytest.mark.parametrize("search", ["!!", "“”", "—", "🪔", "™", "'"])
def test_a_search_without_a_letter_or_digit_has_no_word(search):
    assert searched_words(search) == []


def test_words_of_several_texts_are_listed_once():
    assert stored_words(["Red Lamps", "lamp RED", ""]) == ["lamp", "lamps", "red"]


def test_a_long_text_has_few_words_for_its_length():
    assert len(stored_words(["/".join(f"p{n}" for n in range(1500))])) == 2999


@pytest.mark.parametrize(("one", "other"), [("GRÖSSE", "Größe"), ("Garden", "gARDEN"), ("e\u0301", "É")])
def test_categories_are_compared_without_case(one, other):
    assert category_key(one) == category_key(other)
