"""The painter of the demo: designs, scenes, light and camera, all drawn from a seed."""
