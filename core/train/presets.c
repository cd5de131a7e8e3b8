/* Named settings. head22 is the current public DeepIPR code; neurips19 its state of September 2019, the one nearest to the
 * paper; both 200 epochs of SGD at 0.01, momentum 0.9, batch 64, a tenth after epochs 100 and 150, which are the defaults. They
 * differ in weight decay and pixel statistics. fast is ours, for plain accuracies near the paper's in a tenth of the epochs:
 * the decay and pixels of neurips19, a rate that rises and falls once, softened labels. */
#include "core/train/trainer.h"

const char *const pg_train_presets[] = {"head22", "neurips19", "fast", NULL};
enum { HEAD22, NEURIPS19, FAST };

void pg_train_preset(int preset, pg_train_options *options)
{
    options->weight_decay = preset == HEAD22 ? 1e-4 : 5e-4;
    options->pixels = preset == HEAD22 ? PG_PIXELS_IMAGENET : PG_PIXELS_CIFAR;
    if (preset != FAST) return;
    options->epochs = 16;
    options->lr = 0.05;
    options->schedule = PG_SCHEDULE_ONE_CYCLE;
    options->warmup = 0.25;
    options->label_smoothing = 0.1;
}
