# The baseline, and every other level alone.
python train.py -m seed=0,1,2
python train.py -m seed=0,1,2 activation=tanh
python train.py -m seed=0,1,2 dropout=half
python train.py -m seed=0,1,2 augmentation=shift
python train.py -m seed=0,1,2 learning_rate=1e-3
python table.py
