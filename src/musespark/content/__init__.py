"""Messages made of parts, and the request that carries them to a model.

Pure frozen values without ids or storage, so that messages compare, hash and replay for free. Every part can name the model that
made it; an adapter uses that to drop parts that another provider would not understand.

parts.py     the parts of a message; text, image, video, thinking, tool call, tool result
message.py   `Message`, one turn of a conversation
request.py   `Request`, a conversation with how to answer it: `Mode`, `Effort`, limits
"""

from musespark.content.message import Message, Role, signed_again
from musespark.content.parts import (
    MAX_IMAGE_BYTES,
    Image,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
    Video,
)
from musespark.content.request import (
    ANY_OBJECT,
    MAX_IMAGES,
    MAX_QUESTION,
    MAX_THREADS,
    MAX_VIDEOS,
    THREADS,
    Effort,
    Mode,
    Request,
    RequestStage,
)

__all__ = [
    "ANY_OBJECT",
    "MAX_IMAGES",
    "MAX_IMAGE_BYTES",
    "MAX_QUESTION",
    "MAX_THREADS",
    "MAX_VIDEOS",
    "THREADS",
    "Effort",
    "Image",
    "Message",
    "Mode",
    "Part",
    "Request",
    "RequestStage",
    "Role",
    "Text",
    "Thinking",
    "ToolCall",
    "ToolResult",
    "ToolSpec",
    "Video",
    "signed_again",
]
