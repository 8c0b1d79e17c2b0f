"""Anyone's embedding model, by a SPEC: read from files, made by name, or by the user's own code.

Any embedding model is named by a SPEC:

    model:FOLDER                  a model that was trained here, such as model:models/demo/base/42
    small_resnet                  the demo's network, untrained
    bn_inception[:WEIGHTS]        the study's network. WEIGHTS: imagenet (downloaded), or the published file's path
    torchvision:NAME[:WEIGHTS]    a classification network of torchvision without its last layer. WEIGHTS: imagenet (the
                                  first that torchvision publishes), the name of others such as IMAGENET1K_V2, or the
                                  path of a state dict
    timm:NAME[:WEIGHTS]           a network of timm (pip install timm) without its classifier. WEIGHTS: pretrained
                                  (timm's own), or the path of a state dict
    baseline:colour_histogram     how often each of 512 colours is there, and
    baseline:hog                  histograms of oriented gradients: what is found without any learning
    onnx:FILE                     an ONNX model, run by onnxruntime; TensorFlow's (N, H, W, 3), too
    torchscript:FILE              what torch.jit.save wrote
    python:MODULE:FUNCTION        FUNCTION() of a module in the current directory, or an installed one, returns
                                  (network, input_px, mean, sd): an nn.Module that takes float images (N, 3, H, W), red
                                  first; the side of its images; three means and three standard deviations of the
                                  channels, where black is 0 and white is 1, as torchvision gives them

Without WEIGHTS a network is untrained, with a fixed seed. What can be had untrained can be trained here, too: the name
goes to train.DATASET.network of params.yaml, and WEIGHTS, or scratch, to train.DATASET.weights.

What a file does not tell may follow a question mark, each where it differs from ImageNet's ways, which are:

    onnx:net.onnx?input_px=224&mean=0.485,0.456,0.406&sd=0.229,0.224,0.225&channels=RGB

A model gets (picture - mean) / sd, with pictures in 0..1; one number stands for three; mean and sd are given both, in
the order of the channels (RGB or BGR). Where a SPEC of ONNX or TorchScript leaves them open, an audit says what the
usual others would give. For an ONNX model, output=NAME chooses one of several outputs, or any inner tensor, such as the
features before a classifier's last layer. In a shell, quote the SPEC.

TorchScript files and python: run code that somebody else may have written: load only what you trust.
"""
