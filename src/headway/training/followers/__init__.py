"""What follows a run on its way: each is told of every step, and writes it down in its own way.

follower.py     what a follower is; several as one     journal.py      JSON lines
live_page.py    a page that reloads                    tensorboard.py  event files
"""

from headway.training.followers.follower import Follower, Followers, followed
from headway.training.followers.journal import Journal
from headway.training.followers.live_page import LivePage, Subject
from headway.training.followers.tensorboard import TensorBoard

__all__ = ["Follower", "Followers", "Journal", "LivePage", "Subject", "TensorBoard", "followed"]
