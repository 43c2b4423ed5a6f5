from hornbeam.tuning.candidates import Candidate as Candidate
from hornbeam.tuning.ensembles import Seeds as Seeds
from hornbeam.tuning.result import SearchResult as SearchResult
from hornbeam.tuning.schedules import AsynchronousHalving as AsynchronousHalving
from hornbeam.tuning.schedules import Halving as Halving
from hornbeam.tuning.schedules import Hyperband as Hyperband
from hornbeam.tuning.searching import search as search
from hornbeam.tuning.space import Log as Log
