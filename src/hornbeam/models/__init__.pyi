from hornbeam.models.cloning import clone_model as clone_model
from hornbeam.models.functional import Functional as Functional
from hornbeam.models.model import Model as Model
from hornbeam.models.sequential import Sequential as Sequential
from hornbeam.saving import load_model as load_model
from hornbeam.saving import model_from_json as model_from_json
from hornbeam.saving import save_model as save_model
