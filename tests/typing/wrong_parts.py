"""Mistakes with losses, metrics, optimizers, callbacks, saving and utilities."""

import hornbeam as keras

keras.optimizers.Adam(learning_rat=1)  # error: reportCallIssue
keras.optimizers.SGD(0.1, momentum="high")  # error: reportArgumentType
keras.optimizers.Adam(use_ema="yes")  # error: reportArgumentType
keras.optimizers.AdamW(weight_decay="small")  # error: reportArgumentType
keras.optimizers.schedules.CosineDecay(0.1)  # error: reportCallIssue
keras.optimizers.get("adam").lr_rate  # error: reportAttributeAccessIssue
keras.losses.Huber(delta="x")  # error: reportArgumentType
keras.losses.MeanSquaredError(reduction="average")  # error: reportArgumentType
keras.losses.mean_squared_error("targets", [1.0])  # error: reportArgumentType
keras.losses.BinaryCrossentropy(from_logit=True)  # error: reportCallIssue
keras.metrics.AUC(num_thresholds="many")  # error: reportArgumentType
keras.metrics.Precision(top_k="all")  # error: reportArgumentType
keras.metrics.MeanIoU()  # error: reportCallIssue
keras.metrics.Mean().update()  # error: reportAttributeAccessIssue
keras.callbacks.EarlyStopping(patience="3")  # error: reportArgumentType
keras.callbacks.EarlyStopping(mode="minimum")  # error: reportArgumentType
keras.callbacks.ReduceLROnPlateau(patienc=3)  # error: reportCallIssue
keras.callbacks.ModelCheckpoint()  # error: reportCallIssue
keras.callbacks.LearningRateScheduler(0.1)  # error: reportArgumentType
keras.saving.load_model("model.keras", compiled=False)  # error: reportCallIssue
keras.saving.load_model(3)  # error: reportArgumentType
keras.utils.pad_sequences([[1]], padding="left")  # error: reportArgumentType
keras.utils.PyDataset(workers="2")  # error: reportArgumentType
keras.mixed_precision.set_global_policy()  # error: reportCallIssue
