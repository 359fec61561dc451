"""Words of scene text, in whichever form they were handed out."""

from __future__ import annotations

from pathlib import Path

from bench.data.entries import Layout
from bench.data.layouts import tree
from bench.data.layouts.annotations import FILES, RELEASE, Annotations, partitions
from bench.data.layouts.lmdb_release import RELEASES, Folders, LmdbRelease, databases
from bench.errors import BenchError

_UNREADABLE = {
    "synth90k": [
        "2194/2/334_EFFLORESCENT_24742",
        "2128/2/369_REDACTED_63458",
        "2069/4/192_whittier_86389",
        "2025/2/364_SNORTERS_72304",
        "2013/2/370_refract_63890",
        "1881/4/225_Marbling_46673",
        "1863/4/223_Diligently_21672",
        "1817/2/363_actuating_904",
        "1730/2/361_HEREON_35880",
        "1696/4/211_Queened_61779",
        "1650/2/355_stony_74902",
        "1332/4/224_TETHERED_78397",
        "936/2/375_LOCALITIES_44992",
        "913/4/231_randoms_62372",
        "905/4/234_Postscripts_59142",
        "869/4/234_TRIASSIC_80582",
        "627/6/83_PATRIARCHATE_55931",
        "596/2/372_Ump_81662",
        "554/2/366_Teleconferences_77948",
        "495/6/81_MIDYEAR_48332",
        "429/4/208_Mainmasts_46140",
        "384/4/220_bolts_8596",
        "368/4/232_friar_30876",
        "275/6/96_hackle_34465",
        "264/2/362_FORETASTE_30276",
        "173/2/358_BURROWING_10395",
        "2557/2/351_DOWN_23492",
        "2540/4/246_SQUAMOUS_73902",
        "2489/4/221_snored_72290",
        "2911/6/77_heretical_35885",
        "2852/6/60_TOILSOME_79481",
        "2749/6/101_Chided_13155",
    ]
}
"""What is left out of a dataset wherever it is used: some decoders make half an image of these."""


def tree_or_lmdb(name: str, source: Path, folders: Folders) -> Layout:
    """Return the layout of the dataset `name` that is nearest to `source`.

    `folders` is what its LMDBs are called. Raises BenchError where there is neither such a tree of
    images nor one of these LMDBs.
    """
    near = tree.root(
        source,
        lambda folder: partitions(folder) or databases(folder, folders),
        [RELEASE, *RELEASES],
    )
    if near and partitions(near):
        return Annotations(near, _UNREADABLE.get(name, ()))
    if near:
        return LmdbRelease(near, folders)
    called = ", ".join(names[0] for names in folders.values())
    raise BenchError(
        f"{source}: this is no distribution of '{name}', for there is no file "
        f"{' or '.join(FILES.values())} and no LMDB such as {called}; name the folder that holds "
        "them"
    )
