from hornbeam.wrappers.classifier import KerasClassifier as KerasClassifier
from hornbeam.wrappers.regressor import KerasRegressor as KerasRegressor
from hornbeam.wrappers.dask_plugin import RendezvousPlugin as RendezvousPlugin
from hornbeam.wrappers.search import GridSearchCV as GridSearchCV
from hornbeam.wrappers.search import HalvingGridSearchCV as HalvingGridSearchCV
from hornbeam.wrappers.search import HalvingRandomSearchCV as HalvingRandomSearchCV
from hornbeam.wrappers.search import RandomizedSearchCV as RandomizedSearchCV
