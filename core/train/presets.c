/* Named settings. head22 is the current public DeepIPR code; neurips19 its state of September 2019, the one nearest to the
 * paper; both 200 epochs of SGD at 0.01, momentum 0.9, batch 64, a tenth after epochs 100 and 150. They differ in weight decay
 * and pixel statistics. */
#include "core/train/trainer.h"

const char *const pg_train_presets[] = {"head22", "neurips19", NULL};

void pg_train_preset(int preset, pg_train_options *options)
{
    options->weight_decay = preset == 0 ? 1e-4 : 5e-4;
    options->pixels = preset == 0 ? PG_PIXELS_IMAGENET : PG_PIXELS_CIFAR;
}
