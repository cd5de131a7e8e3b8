/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every fault that a task would find when it runs is found in the plan, if the grid file and the shapes of its data decide it.
 * Each row is a grid and the complete message. The first row of a group names the function that would have refused it.
 * feasible.h lists what only a running task can find. */
#include "core/base/file.h"
#include "core/base/memory.h"
#include "experiments/grid/grid.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

/* The data and the network of every grid in this file: 60 training images, 30 test images, 16 channels in every layer. */
#define HEAD                                                                                                                   \
    "data: {name: synthetic, train: 60, test: 30}\n"                                                                           \
    "networks: [{arch: alexnet, width: 0.0625}]\n"                                                                             \
    "train: {epochs: 1, batch: 20}\n"
#define PLAIN HEAD "schemes: [{scheme: plain}]\n"
#define V1    HEAD "schemes: [{scheme: v1, passport: random}]\n"
#define ALL   HEAD "schemes: [{scheme: [v1, v2, v3, pan], passport: random}, {scheme: [uchida, adi]}]\n"

typedef struct row {
    const char *grid, *expected;
} row;

static const row rows[] = {
    /* pg_train_check, of the schemes' training */
    {HEAD "schemes: [{scheme: plain, train: {batch: 61}}]\n",
     "g.yaml:4:34: schemes.0.train: synthetic, alexnet: batch: 60 training images of synthetic do not fill one batch of 61"},
    {"data: {name: synthetic, train: 60, test: 30}\nnetworks: [{arch: alexnet}]\ntrain: {batch: 64}\n"
     "schemes: [{scheme: plain}, {scheme: v1, train: {batch: 10}}]\n",
     "g.yaml:3:8: train: synthetic, alexnet: batch: 60 training images of synthetic do not fill one batch of 64"},
    /* ... of the plain network from which others start, listed or not */
    {"data: {name: synthetic, train: 60, test: 30}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: v1, train: {batch: 10}}]\n",
     "g.yaml:1:1: synthetic, alexnet: batch: 60 training images of synthetic do not fill one batch of 64"},
    /* halves and independent networks */
    {"data: {name: synthetic, half: first, train: 1025}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: plain}]\n",
     "g.yaml:1:14: data.name: this half of the data set has only 1024 training images, not 1025"},
    {PLAIN "independent: {half: other}\n",
     "g.yaml:5:21: independent.half: synthetic has no other half, because the grid uses all of it: set data.half"},
    {PLAIN "independent: [{arch: alexnet-imagenet}]\n",
     "g.yaml:5:15: independent.0: synthetic, alexnet-imagenet: images of 32x32 are too small for alexnet-imagenet"},
    {"data: {name: synthetic, half: second, train: 60}\nnetworks: [{arch: alexnet}]\ntrain: {batch: 61}\n"
     "schemes: [{scheme: adi, train: {batch: 10}}]\nindependent: {half: other}\n",
     "g.yaml:3:8: train: synthetic, alexnet: batch: 60 training images of synthetic do not fill one batch of 61"},
    /* pg_verify_check */
    {"data: {name: synthetic, train: 60, test: 1}\nnetworks: [{arch: alexnet}]\ntrain: {batch: 20}\n"
     "schemes: [{scheme: plain}]\nverify: {level: 0.05}\n",
     "g.yaml:5:9: verify: synthetic, alexnet: 1 test image cannot show that a network is better than guessing: 10 classes and "
     "level 0.05 need at least 2"},
    /* pg_signature_check */
    {HEAD "schemes: [{scheme: v1, signature: abc}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: signature: 3 bytes need 24 bits, features.5 carries 16"},
    {HEAD "schemes: [{scheme: v2, signature: 'hex:616263'}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: signature: 3 bytes need 24 bits, features.5 carries 16"},
    {HEAD "schemes: [{scheme: v3, signature: 'hex:616'}]\n", "g.yaml:4:11: schemes.0: synthetic, alexnet: signature: expected "
                                                             "at most 120 bytes, as text or as hex: and two digits each"},
    {HEAD "schemes: [{scheme: pan, signature: 'hex:zz'}]\n", "g.yaml:4:11: schemes.0: synthetic, alexnet: signature: expected "
                                                             "at most 120 bytes, as text or as hex: and two digits each"},
    {HEAD "schemes: [{scheme: v1, signature: 'file:three'}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: signature: 3 bytes need 24 bits, features.5 carries 16"},
    /* one line, whatever the number of schemes */
    {ALL "attacks: [{attack: finetune, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: batch: 60 training images of synthetic do not fill one batch of 61"},
    /* one attack or a chain */
    {PLAIN "attacks: [{attack: prune, chain: [{attack: prune}, {attack: prune}]}]\n",
     "g.yaml:5:34: attacks.0.chain: expected `chain` or `attack`, not both: write `attack` in the maps of the chain"},
    {HEAD "schemes: [{scheme: v1, signature: 'file:nothing'}]\n",
     "g.yaml:4:35: schemes.0.signature: nothing: No such file or directory"},
    /* pg_scheme.wire */
    {HEAD "schemes: [{scheme: v1, layers: features.3}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: layers: alexnet has no convolution 'features.3'"},
    {HEAD "schemes: [{scheme: v1, layers: last 6}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: layers: expected first or last 1 to 5 of the convolutions of alexnet, got "
     "'last 6'"},
    {HEAD "schemes: [{scheme: uchida, layer: classifier}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: layers: alexnet has no convolution 'classifier'"},
    {HEAD "schemes: [{scheme: uchida, projection: diff, bits: 73}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: bits: 73 diff ones do not fit features.4, whose filters have 144 weights"},
    /* pg_passport_pictures */
    {HEAD "schemes: [{scheme: v1, images: 31}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: images: a passport takes 31 distinct images, but synthetic has 30"},
    {HEAD "schemes: [{scheme: v2, pictures: triggers, trigger_count: 19}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: images: a passport takes 20 distinct images, but triggers has 19"},
    {HEAD "schemes: [{scheme: pan, pictures: triggers, triggers: good, images: 3}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: images: a passport takes 3 distinct images, but triggers has 2"},
    /* pg_triggers_load */
    {HEAD "schemes: [{scheme: adi, triggers: nowhere}]\n",
     "g.yaml:4:35: schemes.0.triggers: nowhere: No such file or directory"},
    {HEAD "schemes: [{scheme: adi, triggers: unlabelled}]\n",
     "g.yaml:4:35: schemes.0.triggers: unlabelled/labels.txt: No such file or directory"},
    {HEAD "schemes: [{scheme: adi, triggers: short}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: short/labels.txt:2: expected a class number, one for each of the 2 pictures"},
    {HEAD "schemes: [{scheme: v3, passport: random, triggers: long}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: long/labels.txt:3: more labels than pictures (2)"},
    {HEAD "schemes: [{scheme: adi, triggers: classes}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: classes/labels.txt:2: expected a class below 10, got 10"},
    {HEAD "schemes: [{scheme: adi, triggers: small}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: small/2.png: the picture has 31x31 pixels, fewer than its centre of 32x32"},
    /* data sets */
    {"data: {name: synthetic, train: 100000}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: plain}]\n",
     "g.yaml:1:14: data.name: the data set has only 2048 training images, not 100000"},
    {"data: {name: synthetic, test: 100000}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: plain}]\n",
     "g.yaml:1:14: data.name: the data set has only 512 test images, not 100000"},
    /* pg_train_check, of the attacks */
    {PLAIN "attacks: [{attack: finetune, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 60 training images of synthetic do not fill one batch of 61"},
    {PLAIN "attacks: [{attack: finetune, data: synthetic, data_train: 30, batch: 31}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 30 training images of synthetic do not fill one batch of 31"},
    {PLAIN "attacks: [{attack: finetune, data: synthetic, data_train: 3000, batch: 31}]\n",
     "g.yaml:5:36: attacks.0.data: the data set has only 2048 training images, not 3000"},
    {V1 "attacks: [{attack: fake2}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: batch: 60 training images of synthetic do not fill one batch of 64"},
    {V1 "attacks: [{attack: fake3}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: batch: 60 training images of synthetic do not fill one batch of 64"},
    {V1 "attacks: [{attack: substitute, share: 50, batch: 31}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: batch: 30 training images of synthetic do not fill one batch of 31"},
    {V1 "attacks: [{attack: overwrite}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: batch: 60 training images of synthetic do not fill one batch of 64"},
    /* substitute: its share */
    {V1 "attacks: [{attack: substitute, share: 0.5, batch: 1}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: share: 0.5 % of the owner's images are 0, expected at least 1 and at most "
     "the 60 shared ones"},
    {"data: {name: synthetic, test: 30}\nnetworks: [{arch: alexnet, width: 0.0625}]\n"
     "schemes: [{scheme: v1, passport: random}]\nattacks: [{attack: substitute, overlap: disjoint}]\n",
     "g.yaml:4:11: attacks.0: synthetic, alexnet, v1: share: 10 % of the owner's images are 205, expected at least 1 and at "
     "most the 0 disjoint ones"},
    /* pg_passport_pictures, of the attacks */
    {V1 "attacks: [{attack: fake1, images: 31}]\n", "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: images: a passport takes "
                                                    "31 distinct images, but synthetic has 30"},
    {V1 "attacks: [{attack: invert, images: 31}]\n", "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: images: a passport takes "
                                                     "31 distinct images, but synthetic has 30"},
    {"data: {name: synthetic, train: 60, test: 19}\nnetworks: [{arch: alexnet}]\ntrain: {batch: 20}\n"
     "schemes: [{scheme: v1, passport: random}]\nattacks: [{attack: overwrite, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, v1: the thief's evidence, by the defaults of v1: images: a passport takes 20 "
     "distinct images, but synthetic has 19"},
    /* counterfeits */
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: counterfeit-triggers, start: pictures, count: 31}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: count: 31 triggers from the 30 pictures of synthetic"},
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: transfer-triggers, pictures: 61, count: 1}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: pictures: 61 of the 60 training images of synthetic"},
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: transfer-triggers, pictures: 20, count: 21}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: count: 21 triggers from 20 pictures"},
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: transfer-triggers, references: 2, held_out: 2}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: held_out: 2 of 2 references leave none that leads the steps"},
    {HEAD "schemes: [{scheme: uchida}]\nattacks: [{attack: counterfeit-uchida, layer: features}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, uchida: layers: alexnet has no convolution 'features'"},
    /* marks */
    {HEAD "schemes: [{scheme: laplacian, bits: 4000}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: bits: 4000 bits need 200000 weights, features.4 and the other "
     "layers have 11520"},
    {HEAD "schemes: [{scheme: greedy, bits: 4000}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: bits: 4000 bits need 4000 weights, features.0 has 1012 in whole "
     "rows of 253"},
    {HEAD "schemes: [{scheme: hufunet, codes: 64, layers: features.0}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: codes: 64 codes need 4096 weights, features.0 has 1200"},
    {HEAD "schemes: [{scheme: hufunet, pictures: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: pictures: expected at most the 60 training images of synthetic, got "
     "61"},
    {HEAD "schemes: [{scheme: neuralmark, rounds: 8, pooled: 4000}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: rounds, pooled: of the 4608 weights of features.4 about 18 are left "
     "after 8 rounds, expected at least 16000 for 4000 values"},
    {HEAD "schemes: [{scheme: riga, layers: features.3}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: layers: alexnet has no convolution 'features.3'"},
    {HEAD "schemes: [{scheme: deepsigns, trigger_count: 1001}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: expected at most 1000 key pictures"},
    {HEAD "schemes: [{scheme: deepsigns, layer: features.0}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: layer: alexnet has no layer 'features.0' that reads the output of "
     "another"},
    /* triggers */
    {HEAD "schemes: [{scheme: deepsigns, trigger_count: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: 61 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: blackmarks, trigger_count: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: 61 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: ewe, trigger_count: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: 61 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: frontier, trigger_count: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: 61 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: margin, trigger_count: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: 61 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: zhang, trigger_count: 61}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: 61 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: blackmarks, trigger_count: 1}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: trigger_count: at least one image for each bit"},
    {HEAD "schemes: [{scheme: ewe, patch: 4, top: 30}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: patch, top, left: the square does not fit an image of 32x32"},
    {HEAD "schemes: [{scheme: ewe, source: 12}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: source: there is no class 12 of 10"},
    {HEAD "schemes: [{scheme: ewe, source: 1, target: 1}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: source, target: both are class 1, so the triggers would have their "
     "true labels"},
    {HEAD "schemes: [{scheme: ewe, triggers_per_batch: 1000}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: triggers_per_batch: at most 128 can be entangled"},
    {HEAD "schemes: [{scheme: zhang, target: 10}]\n",
     "g.yaml:4:11: schemes.0: synthetic, alexnet: target: there is no class 10 of 10"},
    /* the images of a thief */
    {PLAIN "attacks: [{attack: cleanse, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 12 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: dehydra, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 1 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: fine-prune, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 12 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: refit, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 12 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: wrk, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 3 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: relabel, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 20 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: round-weights, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 20 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: shift-weights, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 20 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: adversarial-training, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 20 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: extract, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 60 training images of synthetic do not fill one batch "
     "of 61"},
    {PLAIN "attacks: [{attack: cleanse, share: 0.5}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: share: 0.5 % of 60 images are 0, expected at least 1 and at "
     "most the 60 shared ones"},
    {PLAIN "attacks: [{attack: anp, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 12 training images of synthetic do not fill one batch of 61"},
    {PLAIN "attacks: [{attack: nad, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 12 training images of synthetic do not fill one batch of 61"},
    {PLAIN "attacks: [{attack: mcr, batch: 61}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: batch: 12 training images of synthetic do not fill one batch of 61"},
    /* options of one attack */
    {"data: {name: synthetic, train: 60, test: 30}\nnetworks: [{arch: full.yaml}]\ntrain: {epochs: 1, batch: 20}\n"
     "schemes: [{scheme: plain}]\nattacks: [{attack: rewrite, dummies: zero}]\n",
     "g.yaml:5:11: attacks.0: synthetic, full, plain: dummies: no layer of full can have more channels"},
    {PLAIN "attacks: [{attack: dehydra, data_free: true, batch: 10}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: data_free: only `form: fixed` works without labelled images"},
    {PLAIN "attacks: [{attack: dehydra, dreams: 1, form: varied, batch: 10, share: 50}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: dreams: one dream of each class cannot be halved"},
    {PLAIN "attacks: [{attack: extract, batch: 20, arch: none.yaml}]\n",
     "g.yaml:5:46: attacks.0.arch: none.yaml: No such file or directory"},
    {PLAIN "attacks: [{attack: extract, batch: 20, arch: wrong.yaml}]\n",
     "wrong.yaml:2:30: rows.0.channels: expected a whole number in [1, 16384], got 0"},
    {PLAIN "attacks: [{chain: [{attack: extract, batch: 20, arch: wrong.yaml}, {attack: prune}]}]\n",
     "wrong.yaml:2:30: rows.0.channels: expected a whole number in [1, 16384], got 0"},
    {PLAIN "attacks: [{attack: extract, batch: 20, arch: [full.yaml, other.yaml]}]\n",
     "g.yaml:5:58: attacks.0.arch: the grid has another network of the name full"},
    {PLAIN "attacks: [{attack: extract, batch: 20, arch: deep.yaml}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: images of 32x32 are too small for deep"},
    {PLAIN "attacks: [{attack: extract, batch: 20, rounds: 16}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: rounds: 60 images cannot be halved 16 times, or 60 epochs "
     "cannot be divided into 17 parts"},
    {PLAIN "attacks: [{attack: extract, arch: alexnet-imagenet, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: images of 32x32 are too small for alexnet-imagenet"},
    {PLAIN "attacks: [{attack: regularise, epochs: 2, heavy_epochs: 3, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, plain: heavy_epochs: expected at most the 2 epochs, got 3"},
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: overwrite, thiefs_scheme: plain, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: thiefs_scheme: there is no scheme 'plain' that makes evidence"},
    {HEAD "schemes: [{scheme: adi}]\n"
          "attacks: [{attack: overwrite, thiefs_scheme: riga, bound: true, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: bound: evidence of riga cannot be bound to a secret"},
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: overwrite, thiefs_scheme: zhang, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: the thief's evidence, by the defaults of zhang: trigger_count: "
     "100 triggers from 60 images of synthetic"},
    {HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: overwrite, share: 0.1, batch: 20}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, adi: share: 0.1 % of 60 images are 0"},
    {HEAD "schemes: [{scheme: uchida}]\nattacks: [{attack: grind, claim: passports}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, uchida: claim: the network has no passport layers"},
    {HEAD "schemes: [{scheme: uchida}]\nattacks: [{attack: grind, claim: mark, layer: features.9}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, uchida: layers: alexnet has no convolution 'features.9'"},
    {HEAD "schemes: [{scheme: uchida}]\nattacks: [{attack: grind, tries: [10, 1]}]\n",
     "g.yaml:5:11: attacks.0: synthetic, alexnet, uchida: tries: expected ascending numbers, found 1 after 10"},
};

/* Grids that just satisfy the same rules. */
static const char *const fine[] = {
    HEAD "schemes: [{scheme: plain, train: {batch: 60}}]\n",
    HEAD "schemes: [{scheme: [v1, v2, v3, pan], signature: ab, images: 30}, {scheme: uchida, projection: diff, bits: 72}]\n",
    HEAD "schemes: [{scheme: adi, triggers: good}, {scheme: v2, pictures: triggers, triggers: good, images: 2}]\n",
    PLAIN "attacks: [{attack: finetune, batch: 60}, {attack: finetune, data: synthetic, batch: 2000}]\n",
    V1
    "attacks: [{attack: [fake2, fake3, overwrite], batch: 60}, {attack: substitute, share: 50, batch: 30}, {attack: fake1, "
    "images: 30}, {attack: invert, start: nothing, images: 1000}, {attack: fake1, passport: [random, image], images: 1000}]\n",
    HEAD "schemes: [{scheme: adi}]\nattacks: [{attack: counterfeit-triggers, start: pictures, count: 30}]\n",
    /* training that no task needs */
    HEAD "schemes: [{scheme: v1, passport: random, train: {batch: 10}}]\nattacks: [{attack: fake2, schemes: [v2]}]\n",
    "data: {name: synthetic, train: 60, test: 30}\nnetworks: [{arch: alexnet}]\nschemes: [{scheme: adi, train: {batch: 10}}]\n"
    "attacks: [{attack: fake1, carrier: pretrained}]\n",
    ALL "attacks: [{attack: [prune, permute, flip, \"null\", counterfeit-triggers, counterfeit-uchida]}]\n",
};

static pg_problems problems;

static void write_text(const char *path, const char *text)
{
    OK(pg_file_write(path, text, strlen(text), PG_FILE_PUBLIC, &err));
}

static void write_picture(const char *path, unsigned side)
{
    static uint8_t rgb[32 * 32 * 3];
    png_image png = {.version = PNG_IMAGE_VERSION, .width = side, .height = side, .format = PNG_FORMAT_RGB};
    assert_true(png_image_write_to_file(&png, path, 0, rgb, 0, NULL));
}

/* Folders of two pictures. */
static void write_folder(const char *name, const char *labels, unsigned side)
{
    char path[64];
    assert_int_equal(mkdir(name, 0777), 0);
    snprintf(path, sizeof path, "%s/1.png", name);
    write_picture(path, 32);
    snprintf(path, sizeof path, "%s/2.png", name);
    write_picture(path, side);
    snprintf(path, sizeof path, "%s/labels.txt", name);
    if (labels) write_text(path, labels);
}

static void write_folders(void)
{
    write_text("three", "abc");
    write_text("full.yaml", "image: 32\nrows: [{row: conv, channels: 16, norm: false}, {row: norm}, {row: dense}]\n");
    write_text("other.yaml", "name: full\nimage: 32\nrows: [{row: conv, channels: 8}, {row: dense}]\n");
    write_text("wrong.yaml", "image: 32\nrows: [{row: conv, channels: 0}, {row: dense}]\n");
    write_text("deep.yaml",
               "image: 64\nrows: [{row: conv, channels: 8, kernel: 31, pad: 0, stride: 16}, {row: conv, channels: 8, "
               "kernel: 3, pad: 0}, {row: dense}]\n");
    write_folder("good", "1\n9\n", 32);
    write_folder("unlabelled", NULL, 32);
    write_folder("short", "1\n", 32);
    write_folder("long", "1\n2\n3\n", 32);
    write_folder("classes", "1\n10\n", 32);
    write_folder("small", "1\n9\n", 31);
}

static pg_status read_grid(const char *text, pg_grid **grid, pg_error *error)
{
    FILE *file = fopen("g.yaml", "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    problems.count = 0;
    return pg_grid_read("g.yaml", NULL, 0, NULL, grid, &problems, error);
}

/* Is there a row whose grid has "key: name" as an entry of its own? */
static bool has_row(const char *key, const char *name)
{
    char entry[64];
    const int length = snprintf(entry, sizeof entry, "%s: %s", key, name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = strstr(rows[i].grid, entry);
        if (at && strchr(",}", at[length])) return true;
    }
    return false;
}

TEST(every_scheme_and_attack_that_checks_its_options_has_a_row)
{
    for (int i = 0; pg_schemes[i]; i++)
        if (pg_schemes[i]->check && !has_row("scheme", pg_schemes[i]->name)) fail_msg("no row of %s", pg_schemes[i]->name);
    for (int i = 0; pg_attacks[i]; i++)
        if (pg_attacks[i]->check && !has_row("attack", pg_attacks[i]->name)) fail_msg("no row of %s", pg_attacks[i]->name);
}

/* Cut the working directory from a line, which names files by their whole paths. */
static void cut_folder(char *line)
{
    char here[PG_PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    char *at = strstr(line, strcat(here, "/"));
    if (at) memmove(at, at + strlen(here), strlen(at + strlen(here)) + 1);
}

TEST(what_cannot_run_is_refused_with_its_place)
{
    write_folders();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pg_grid *grid = NULL;
        const pg_status status = read_grid(rows[i].grid, &grid, &err);
        cut_folder(problems.lines[0]);
        const bool good = status == PG_BAD_INPUT && problems.count == 1 && strcmp(problems.lines[0], rows[i].expected) == 0;
        if (!good)
            fail_msg("row %zu: %d problems, '%s' instead of '%s'", i, problems.count,
                     problems.count ? problems.lines[0] : err.message, rows[i].expected);
        pg_grid_destroy(&grid);
    }
}

static void cut_folders(void)
{
    for (int i = 0; i < problems.count; i++) cut_folder(problems.lines[i]);
}

static pg_status read_below(const char *const *sets, int count, pg_grid **grid)
{
    problems.count = 0;
    const pg_status status = pg_grid_read("grids/g.yaml", sets, count, NULL, grid, &problems, &err);
    cut_folders();
    return status;
}

TEST(a_relative_path_begins_in_the_folder_of_its_file_and_one_of_set_in_the_working_directory)
{
    pg_grid *grid = NULL;
    const char *const here[] = {"schemes.0.signature=file:secret", "schemes.1.triggers=good"};
    const char *const there[] = {"schemes.0.signature=file:grids/secret", "schemes.1.triggers=grids/good"};
    assert_int_equal(mkdir("grids", 0777), 0);
    write_text("grids/secret", "a");
    write_folder("grids/good", "1\n9\n", 32);
    write_text("grids/g.yaml", HEAD "schemes: [{scheme: v1, signature: 'file:secret'}, {scheme: adi, triggers: good}]\n");
    assert_int_equal(read_below(NULL, 0, &grid), PG_OK);
    pg_grid_destroy(&grid);
    assert_int_equal(read_below(there, 2, &grid), PG_OK);
    pg_grid_destroy(&grid);
    assert_int_equal(read_below(here, 2, &grid), PG_BAD_INPUT);
    assert_string_equal(problems.lines[0],
                        "--set schemes.0.signature=file:secret: schemes.0.signature: secret: No such file or "
                        "directory");
    assert_int_equal(problems.count, 2);
}

TEST(what_just_fits_is_accepted)
{
    write_folders();
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        pg_grid *grid = NULL;
        if (read_grid(fine[i], &grid, &err) != PG_OK) fail_msg("%s", problems.count ? problems.lines[0] : err.message);
        pg_grid_destroy(&grid);
    }
}
