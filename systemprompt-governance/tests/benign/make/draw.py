"""What is drawn by chance, the same in every run."""

import base64
import random
import re

ENTITIES = """access token|api key|audit entry|auth policy|billing account|build artifact|cache entry|card payment
|client secret|cost centre|credential store|customer|data key|delivery note|device key|exchange rate|feature flag|file upload
|grant|group member|health check|invoice|job queue|key ring|ledger line|login attempt|mail template|master key|meter reading
|order line|password policy|password reset|price list|private channel|product|public key|rate limit|refresh token|report
|retry budget|role binding|search index|secret rotation|secret version|service account|session|shipment|signing key|stock level
|subscription|tax rule|team|tenant|ticket|token bucket|token issuer|user profile|vault mount|warehouse slot|webhook""".replace("\n", "").split("|")
FIELDS = ["display_name", "owner_email", "region_code", "external_ref", "status_text", "currency", "locale", "colour", "unit_price"]
WORDS = """about above account across action after again amount answer april archive area average balance bank basic batch before
below better between board book bottom branch bridge budget build button call capital careful carry case centre chain change
charge chart check choice city class clean clear close code coffee column common company compare complete concern condition
contact content context contract control copy corner cost council count country couple course cover create credit current
customer daily data date deal decide deep default delay deliver demand depend design detail develop difference direct
discount discuss document double doubt draft draw drive early east easy edge effect effort either email empty energy engine
enough entry equal error estimate evening event every example except expect explain export extra factor failure family feature
field figure file final finance find first flight floor focus follow force foreign format forward frame free front full
future garden general gentle goal good graph green ground group growth guide half hand happen harbour heavy help history hold
holiday home hope hotel hour house idea image import improve include income increase index industry inform input inside
instead interest invite invoice issue item join journey judge july keep kitchen label lake large later launch layer lead learn
leave letter level light limit line list little local long lower machine mail main major manage many march margin market
matter mean measure meeting member memory message method middle minute mirror model modern moment month morning mountain
move music name nature near network never news night north notice number object offer office often open option orange order
ordinary other output outside over owner page paper parent part party path pattern pause payment people percent period
person phone photo picture piece place plan plant plate play point policy position possible post power practice prefer
prepare present press price print problem process product profit program project promise proper protect provide public
pull purpose quality quarter question quick quiet quite radio rain raise range rate rather reach ready real reason receive
recent record region regular release remain remember remove repair repeat reply report request research rest result return
review right river road room round rule safe sale same sample save scale scene school score screen search season second
section select send sense series serve session seven share sheet shift ship short side sign silver simple single site
size small smooth social solid some sound source south space special speed spring staff stage stand start state station
stay step still stock stone stop store storm story street strong student study subject success sugar summer supply support
sure system table take target task team term test thank theme thing third ticket time today together tomorrow total touch
town track trade train transfer travel tree trial trip trust turn type under unit until update upper usual value various
version video view village visit voice wait walk wall want watch water week west wheel while white whole wide wind window
winter wish within word work world worth write year yellow young zone""".split()
BASE62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Draw(random.Random):
    """Random numbers, and the names and values made of them."""

    def hex(self, count):
        return "".join(self.choice("0123456789abcdef") for _ in range(count))

    def letters(self, count):
        return "".join(self.choice(BASE62) for _ in range(count))

    def digits(self, count):
        return "".join(self.choice("0123456789") for _ in range(count))

    def base64(self, count):
        return base64.b64encode(self.randbytes(count)).decode()

    def uuid(self):
        text = self.hex(32)
        variant = self.choice("89ab")
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    def word(self):
        return self.choice(WORDS)

    def words(self, least, most):
        return " ".join(self.word() for _ in range(self.randint(least, most)))

    def sentence(self):
        return self.words(5, 16).capitalize() + self.choice("...?")

    def version(self):
        return f"{self.randint(0, 9)}.{self.randint(0, 30)}.{self.randint(0, 20)}"

    def package(self):
        return self.choice(["", "", "", "lib", "node-", "py", "@types/", "go-"]) + self.word() + self.choice(
            ["", "", "-" + self.word(), "-utils", "-core", "-parser", "2", "-keys", "-tokens", "js"])

    def instant(self):
        return (f"2026-{self.randint(1, 12):02}-{self.randint(1, 28):02}T{self.randint(0, 23):02}:"
                f"{self.randint(0, 59):02}:{self.randint(0, 59):02}.{self.randint(0, 999999):06}Z")

    def address(self):
        return ".".join(str(self.choice([10, 172, 192, 203]) if n == 0 else self.randint(0, 255)) for n in range(4))

    def fill(self, text):
        """Replaces `@x@` holes; the names of one text belong together."""
        words = self.choice(ENTITIES).split()
        field = self.choice(FIELDS)
        pascal = "".join(word.capitalize() for word in words)
        names = {
            "E": pascal, "c": pascal[0].lower() + pascal[1:], "e": "_".join(words), "s": "_".join(words) + "s",
            "k": "-".join(words), "U": "_".join(words).upper(), "p": "".join(words), "w2": " ".join(words),
            "e2": "".join(words)[:3], "f": field, "F": "".join(part.capitalize() for part in field.split("_")),
            "W": field.replace("_", " ").capitalize(), "uuid": None,
        }

        def hole(match):
            name = match[1]
            if name == "uuid":
                return self.uuid()
            if name in names:
                return names[name]
            kind, count = name[0], int(name[1:])
            if kind == "n":
                return str(self.randint(10 ** (count - 1), 10**count - 1))
            return {"h": self.hex, "a": self.letters, "d": self.digits}[kind](count)

        return re.sub(r"@(uuid|w2|e2|[EcesUkpfFW]|[nhad]\d+)@", hole, text)
