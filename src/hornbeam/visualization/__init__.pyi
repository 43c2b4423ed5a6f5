from hornbeam.visualization.as_html import to_html as to_html
from hornbeam.visualization.live_board import LiveBoard as LiveBoard
from hornbeam.visualization.curves import plot_learning_curves as plot_learning_curves
from hornbeam.visualization.curves import record_histories as record_histories
from hornbeam.visualization.learning_rates import (
    plot_learning_rates as plot_learning_rates,
)
from hornbeam.visualization.history import plot_history as plot_history
from hornbeam.visualization.run_report import report as report
from hornbeam.visualization.search import plot_search as plot_search
from hornbeam.visualization.table import search_table as search_table
from hornbeam.visualization.annotations import draw_bounding_boxes as draw_bounding_boxes
from hornbeam.visualization.annotations import (
    draw_segmentation_masks as draw_segmentation_masks,
)
from hornbeam.visualization.galleries import (
    plot_bounding_box_gallery as plot_bounding_box_gallery,
)
from hornbeam.visualization.galleries import plot_image_gallery as plot_image_gallery
from hornbeam.visualization.galleries import (
    plot_segmentation_mask_gallery as plot_segmentation_mask_gallery,
)
from hornbeam.visualization.evaluation import plot_calibration as plot_calibration
from hornbeam.visualization.evaluation import plot_confusion_matrix as plot_confusion_matrix
from hornbeam.visualization.evaluation import plot_precision_recall as plot_precision_recall
from hornbeam.visualization.evaluation import plot_predictions as plot_predictions
from hornbeam.visualization.evaluation import plot_roc as plot_roc
from hornbeam.visualization.evaluation import plot_worst_examples as plot_worst_examples
from hornbeam.visualization.attention_maps import attention_scores as attention_scores
from hornbeam.visualization.attention_maps import plot_attention_maps as plot_attention_maps
from hornbeam.visualization.explanations import grad_cam as grad_cam
from hornbeam.visualization.explanations import saliency as saliency
from hornbeam.visualization.feature_maps import plot_feature_maps as plot_feature_maps
from hornbeam.visualization.feature_maps import plot_filters as plot_filters
from hornbeam.visualization.embedding import plot_embedding as plot_embedding
