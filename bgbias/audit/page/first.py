"""The first screen of the page, for everyone: what was found, its grade, a search gone wrong, what to do, the masks."""

from collections.abc import Sequence

from bgbias.audit.about import About
from bgbias.audit.measures.examples import Masked, Row
from bgbias.audit.page import gallery, places, wording
from bgbias.audit.page.markup import Html, tag
from bgbias.audit.verdict import sensitivity
from bgbias.audit.verdict.kinds import kind

GRABCUT = (
    "These masks are GrabCut's, made without a network, and often wrong: they take a piece of the background for the "
    "object, or miss half of it. All figures of swapped photos are then wrong, too. A network makes better masks: "
    "--mask-method rembg, or masks.NAME.method in params.yaml for a dataset."
)
LOOK = "All figures of swapped photos depend on the masks: see that each cut-out shows the object, and all of it."
SHORTENED = "Paths of other folders are shortened to their last names here; the option --paths shows them."


def header(audit: dict, about: About) -> Html:
    """Return the title, and what was audited, when, where and how: all masks and pools that the sentence rests on."""
    masks, pools = sensitivity.opinion(audit), audit["second_backgrounds"]
    audited = {
        "queries" if "sample" in audit else "photos": f"{audit['photos']:,}",
        **({"gallery": f"{audit['gallery']:,}"} if "sample" in audit else {}),
        **({} if kind(audit).one_each else {"classes": f"{audit['classes']:,}"}),
        **({"model": audit["embedder"]} if about.title else {}),
        "masks": audit["masks"] + (f" and {masks['kind']}" if masks else ""),
        "backgrounds": audit["backgrounds"] + (f" and {pools['backgrounds']}" if pools else ""),
        "date": about.date,
        "version of bgbias": about.version,
        "machine": about.machine,
    }
    facts = [tag("div", tag("dt", name), tag("dd", text)) for name, text in audited.items()]
    name = tag("b", about.title) if about.title else tag("code", audit["embedder"])
    return tag("header", tag("h1", tag("span", "Background audit of "), name), tag("dl", *facts, class_="facts"))


def short(audit: dict, rows: Sequence[Row]) -> Html:
    """Return what is found in other places, the sentence for everyone, its grade, and a search before and after."""
    found = audit["summary"]
    letter = tag("b", tag("span", "Grade ", class_="hidden"), found["grade"] or "–", class_="letter")  # noqa: RUF001
    graded = [tag("p", wording.kept_together(found["graded"]))]
    if found["grade"]:
        graded.append(tag("p", wording.counts(audit["kept"]), class_="counted"))
    return tag(
        "section",
        tag("h2", "In short", id="short"),
        places.short(audit),
        tag("p", wording.kept_together(found["said"]), class_="plain"),
        tag("div", letter, tag("div", *graded), class_="grade"),
        gallery.before_and_after(rows),
        tag("p", kind(audit).lead, class_="lead"),
    )


def advice(audit: dict, about: About) -> Html:
    """Return what to do, step by step, with the commands."""
    steps = [
        tag("li", tag("p", wording.kept_together(step["said"])), *_commands(step["commands"]))
        for step in audit["advice"]
    ]
    commands = any(step["commands"] for step in audit["advice"])
    note = tag("p", wording.kept_together(SHORTENED), class_="counted") if about.shortened and commands else ""
    lead = tag("p", "The cheapest first.", class_="lead") if len(steps) > 1 else ""
    return tag("section", tag("h2", "What to do", id="do"), lead, tag("ol", *steps, class_="steps"), note)


def _commands(commands: Sequence[str]) -> list[Html]:
    lines = Html("\n".join(map(wording.command, commands)))
    return [tag("pre", tag("code", lines), tabindex=0)] if commands else []


def masks(audit: dict, masked: Sequence[Masked]) -> Html:
    """Return some photos with their masks, and what to look for."""
    caveat = tag("p", wording.kept_together(GRABCUT), class_="note") if audit["masks"] == "grabcut" else ""
    lead = tag("p", f"Photo, mask and cut-out of {len(masked)} photos at random. {LOOK}", class_="lead")
    return tag("section", tag("h2", "Do the masks fit?", id="sheet"), lead, caveat, gallery.sheet(masked))
