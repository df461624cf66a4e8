"""Ten languages: blocks of code in new order with new names."""

from pathlib import Path

SUFFIXES = {
    "rust": "rs", "python": "py", "javascript": "tsx", "go": "go", "java": "java", "c": "c", "csharp": "cs",
    "ruby": "rb", "php": "php", "sql": "sql", "shell": "sh",
}
LINES = {"sql": 600, "shell": 700}


def write_code(draw):
    """File names and texts, about a thousand lines of each language."""
    for language, suffix in SUFFIXES.items():
        source = Path(__file__).with_name(f"{language}.txt").read_text(encoding="utf-8")
        blocks = source.rstrip("\n").split("\n%%\n")
        lines, count = 0, 0
        while lines < LINES.get(language, 950):
            count += 1
            head, *rest = blocks
            chosen = [head, *draw.sample(rest, k=len(rest) - draw.randint(0, 2))]
            text = "\n\n".join(draw.fill(block) for block in chosen) + "\n"
            lines += text.count("\n")
            yield f"{language}_{count}.{suffix}", text
