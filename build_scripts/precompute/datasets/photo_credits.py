"""Whom the photographs are from, under which licence, and which files they are."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CREDITS", "Credit"]


@dataclass(frozen=True)
class Credit:
    """Where one photograph comes from, for the page that shows it.

    Attributes:
        name: the class.
        title: what is to be seen.
        author: who made it, or who holds it.
        licence: under which it may be used.
        address: of the original; "" where its package names none.
        package: the package whose wheel carries the file.
        file: its path in that package.
        sha256: of the file.
        shrink: by how much it is reduced before patches are cut, to be as large as the others.
    """

    name: str
    title: str
    author: str
    licence: str
    address: str
    package: str
    file: str
    sha256: str
    shrink: int = 1


CREDITS = (
    Credit(
        "astronaut",
        "Eileen Collins, astronaut",
        "NASA",
        "public domain",
        "https://flic.kr/p/r9qvLn",
        "skimage",
        "data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    Credit(
        "brick",
        "Brick wall (Bricks25)",
        "CC0 Textures",
        "CC0 1.0",
        "https://cc0textures.com/view.php?tex=Bricks25",
        "skimage",
        "data/brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    ),
    Credit(
        "camera",
        "Photographer with a camera",
        "Lav Varshney",
        "CC0 1.0",
        "https://github.com/scikit-image/scikit-image/issues/3927",
        "skimage",
        "data/camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    ),
    Credit(
        "cat",
        "Chelsea the cat",
        "Stefan van der Walt",
        "CC0 1.0",
        "",
        "skimage",
        "data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    ),
    Credit(
        "coffee",
        "Cup of coffee",
        "Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "CC0 1.0",
        "",
        "skimage",
        "data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    ),
    Credit(
        "coins",
        "Greek coins from Pompeii",
        "Brooklyn Museum",
        "no known copyright restrictions",
        "https://www.brooklynmuseum.org/opencollection/archives/image/51611",
        "skimage",
        "data/coins.png",
        "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba",
    ),
    Credit(
        "flower",
        "Flower",
        "vultilion",
        "CC BY 2.0",
        "https://www.flickr.com/photos/vultilion/6056698931/",
        "sklearn",
        "datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    ),
    Credit(
        "galaxies",
        "Hubble eXtreme Deep Field",
        "NASA and ESA",
        "public domain",
        "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
        "skimage",
        "data/hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    ),
    Credit(
        "grass",
        "Grass (Grass 01)",
        "linolafett",
        "CC0 1.0",
        "https://www.deviantart.com/linolafett/art/Grass-01-434853879",
        "skimage",
        "data/grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    ),
    Credit(
        "gravel",
        "Gravel (Gravel04)",
        "CC0 Textures",
        "CC0 1.0",
        "https://cc0textures.com/view.php?tex=Gravel04",
        "skimage",
        "data/gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
    ),
    Credit(
        "retina",
        "Human retina, normal left eye",
        "Mikael Häggström",
        "CC0 1.0",
        "https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
        "skimage",
        "data/retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        shrink=2,
    ),
    Credit(
        "rocket",
        "Launch of DSCOVR on a Falcon 9",
        "SpaceX",
        "public domain",
        "https://www.flickr.com/photos/spacexphotos/16511594820/",
        "skimage",
        "data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    ),
    Credit(
        "temple",
        "Temple in China",
        "danielbuechele",
        "CC BY 2.0",
        "https://www.flickr.com/photos/danielbuechele/6061409035/",
        "sklearn",
        "datasets/images/china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    ),
    Credit(
        "tissue",
        "Colonic glands, immunohistochemical staining",
        "Center for Microscopy and Molecular Imaging",
        "no known copyright restrictions",
        "",
        "skimage",
        "data/ihc.png",
        "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
    ),
)
