#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# LeNet-5 as it is committed, on 200 digits that it was not trained with (libaccel/models/train_lenet5.py says which).
. "$(dirname "$0")/lib.sh"

model=$top/libaccel/models/lenet5.eie
digits=$top/tests/data/digits
try 0 "evaluation" eval "$model" --data "$digits" --device cpu --json
is_json "is JSON"
echo "# $(value correct) of $(value items) right"
check "200 digits" [ "$(value items)" = 200 ]
check "at least 96 % right" [ "$(value correct)" -ge 192 ]
check "float agrees on at least 199" [ "$(value float_agreement)" -ge 199 ]
try 0 "calibrated" inspect "$model"
check "its fully connected layers have no guessed ranges" [ -z "$(grep 'guessed' out)" ]
find_devices
for d in $DEVICES; do
	try 0 "every bit on $d" eval "$model" --data "$digits" --limit 4 --device "$d" --verify
done
try 0 "explain" explain "$model" --device ref --json
check "the fully connected layers are one segment of the engine" [ "$(value device_segments)" = 1 ]
check "the rest is one of the CPU" [ "$(value cpu_segments)" = 1 ]
finish
