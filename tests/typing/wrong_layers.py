"""Wrong programs with layers and models: checkers find an error in each marked line."""

import hornbeam as keras
from hornbeam import layers

layers.Dense()  # error: reportCallIssue
layers.Dense("relu")  # error: reportArgumentType
layers.Dense(3, activaton="relu")  # error: reportCallIssue
layers.Dense(3, use_bias="no")  # error: reportArgumentType
layers.Dense(3, nam="dense")  # error: reportCallIssue
layers.Conv2D(8, 3, padding="smae")  # error: reportArgumentType
layers.Conv2D(8, 3, data_format="channel_last")  # error: reportArgumentType
layers.Conv2D(8, kernal_size=3)  # error: reportCallIssue
layers.MaxPooling2D(pool=2)  # error: reportCallIssue
layers.Dropout("half")  # error: reportArgumentType
layers.LSTM(8, return_sequence=True)  # error: reportCallIssue
layers.Bidirectional(layers.LSTM(8), merge_mode="average")  # error: reportArgumentType
layers.MultiHeadAttention(2)  # error: reportCallIssue
layers.BatchNormalisation()  # error: reportAttributeAccessIssue
layers.Embedding(10)  # error: reportCallIssue

dense = layers.Dense(3)
print(dense.unit)  # error: reportAttributeAccessIssue
dense.trainble = False  # error: reportAttributeAccessIssue
dense.count_parameters()  # error: reportAttributeAccessIssue
dense.set_weights(3)  # error: reportArgumentType
dense.add_weight(initialiser="zeros")  # error: reportCallIssue
dense.enable_lora()  # error: reportCallIssue

keras.Input(3.5)  # error: reportArgumentType
keras.Input(shap=(3,))  # error: reportCallIssue
inputs = keras.Input((3,))
keras.Model(inputs=inputs, output=dense(inputs))  # error: reportCallIssue
model = keras.Model(inputs, dense(inputs))
model.add(dense)  # error: reportAttributeAccessIssue
model.sumary()  # error: reportAttributeAccessIssue
model.get_layer(nme="dense")  # error: reportCallIssue

keras.Sequential(dense)  # error: reportArgumentType
sequential = keras.Sequential([dense])
sequential.add("dense")  # error: reportArgumentType
sequential.append(dense)  # error: reportAttributeAccessIssue


class Scale(layers.Layer):
    def __init__(self, factor):
        super().__init__(nmae="scale")  # error: reportCallIssue
        self.factor = factor

    def call(self, x):
        return x * self.facter  # error: reportAttributeAccessIssue


Scale()  # error: reportCallIssue
