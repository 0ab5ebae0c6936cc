# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is compared, and how each is started: the lines that a user would type."""

from dataclasses import dataclass

SIZES = {"480p": (640, 480), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
# vimc draws by CPU what vivid has ready: at this size its picture costs little beside the transport.
SMALL = "160x120"
EVERY_SIZE = {**SIZES, SMALL: (160, 120)}
HEAP = "video@*"
# Served by the vDSO, without a system call, on any machine but User Mode Linux.
VDSO = {"clock_gettime", "gettimeofday", "time", "getcpu", "clock_getres"}


@dataclass(frozen=True)
class Peer:
    """One way from a camera to a screen."""

    key: str
    name: str  # in tables and plots
    camera: str  # vivid, virtual, vimc
    source: str  # peers with the same source share what making the picture costs
    copies: bool = False  # maps or copies each frame, so slow here that fewer frames are played
    alone: bool = True  # its source plays into fakesink, which tells what making the picture costs


PEERS = {peer.key: peer for peer in (
    Peer("bare", "bare loop", "vivid", "bare"),
    Peer("heapflow", "heapcamerasrc ! heapkmssink", "vivid", "heapflow"),
    Peer("replace-heapflow", "heapkmssink drop-policy=replace", "vivid", "heapflow"),
    Peer("dmabuf-import", "v4l2src dmabuf-import ! kmssink skip-vsync", "vivid", "dmabuf-import", copies=True,
         alone=False),
    Peer("dmabuf", "v4l2src dmabuf ! kmssink skip-vsync", "vivid", "dmabuf"),
    Peer("dmabuf-vsync", "v4l2src dmabuf ! kmssink", "vivid", "dmabuf"),
    Peer("mmap", "v4l2src mmap ! kmssink skip-vsync", "vivid", "mmap", copies=True),
    Peer("virtual-heapflow", "heapcamerasrc ! heapkmssink", "virtual", "virtual-heapflow", copies=True),
    Peer("virtual-libcamerasrc", "libcamerasrc ! kmssink skip-vsync", "virtual", "virtual-libcamerasrc",
         copies=True),
    Peer("virtual-libcamerasrc-vsync", "libcamerasrc ! kmssink", "virtual", "virtual-libcamerasrc", copies=True),
    Peer("virtual-cam", "cam, KMS output", "virtual", "virtual-cam", copies=True),
    Peer("vimc-heapflow", "heapcamerasrc ! heapkmssink", "vimc", "vimc-heapflow", copies=True),
    Peer("vimc-libcamerasrc", "libcamerasrc ! kmssink skip-vsync", "vimc", "vimc-libcamerasrc", copies=True),
)}

CAMERAS = {"vivid": "vivid", "virtual": "libcamera's virtual camera", "vimc": "vimc"}

# What heapkmssink is asked for beyond the defaults.
OWN_WORDS = {"replace-heapflow": ["drop-policy=replace"]}
# Of libcamera's virtual camera, where its picture is drawn.
DRAWING_THREAD = "VirtualCamera"
VIMC = "platform/vimc.0 Sensor B"


def key_of(key, camera):
    """The peer of that name with that camera."""
    return key if camera == "vivid" else f"{camera}-{key}"


def sizes_of(peer):
    """The sizes that its camera has."""
    if peer.camera == "vimc":
        return [SMALL]
    # board/guest/virtual.yaml has no 4K; 1080p of a camera that draws by CPU takes longer than it tells.
    return [size for size in SIZES if peer.camera != "virtual" or size in ("480p", "720p")]


def caps(peer, size, feature):
    width, height = EVERY_SIZE[size]
    pixels = "RGB" if peer.camera == "vimc" else "NV12"
    if feature:
        drm = "BG24" if peer.camera == "vimc" else "NV12"
        return f"video/x-raw(memory:DMABuf),format=DMA_DRM,drm-format={drm},width={width},height={height}"
    return f"video/x-raw,format={pixels},width={width},height={height}"


def source(peer, size, frames, node):
    """The words of gst-launch-1.0 up to the sink."""
    ours = peer.key.endswith("heapflow")
    if ours:
        name = {"vivid": node, "virtual": "Virtual0", "vimc": VIMC}[peer.camera]
        words = ["heapcamerasrc", f"camera-name={name}", f"heap={HEAP}"]
        if peer.camera == "vivid":
            words.append(f"num-buffers={frames}")
        words += ["!", caps(peer, size, True)]
    elif peer.camera != "vivid":
        name = {"virtual": "Virtual0", "vimc": VIMC}[peer.camera]
        words = ["libcamerasrc", f"camera-name={name}", "!", caps(peer, size, False)]
    else:
        # The source is what two peers may have in common, and is named for its io-mode.
        mode = peer.source
        words = ["v4l2src", f"device={node}", f"io-mode={mode}", f"num-buffers={frames}", "!",
                 caps(peer, size, False)]
    if peer.camera != "vivid":
        # libcamerasrc has no num-buffers; both of a pair get the same element to end them.
        words += ["!", "identity", f"eos-after={frames + 1}"]
    return words


def command(peer, size, frames, node, card, screen=True):
    """The argument vector; without the screen: what the source alone costs."""
    width, height = EVERY_SIZE[size]
    if peer.key == "bare":
        words = ["bare-loop", "--card", card, "--camera", node, "--size", f"{width}x{height}", "--frames",
                 str(frames)]
        return words if screen else words + ["--capture"]
    if peer.key == "virtual-cam":
        words = ["cam", "-c", "Virtual0", f"-C{frames}",
                 "-s", f"role=viewfinder,width={width},height={height},pixelformat=NV12"]
        return words + ["-DVirtual-1"] if screen else words
    if not screen:
        sink = ["fakesink", "sync=false"]
    elif peer.key.endswith("heapflow"):
        sink = ["heapkmssink", "sync=false", *OWN_WORDS.get(peer.key, [])]
    else:
        sink = ["kmssink", "driver-name=vkms", "sync=false"]
        if not peer.key.endswith("-vsync"):
            sink.append("skip-vsync=true")
    # -f: gst-launch's handler of a crash spins.
    return ["gst-launch-1.0", "-q", "-f", *source(peer, size, frames, node), "!", *sink]
